using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>Accepts in an event loop and hands the connections to all loops in turn.</summary>
internal sealed class EpollListener : Listener
{
    private readonly EventLoops _loops;
    private readonly AcceptSocket _accepting;

    public EpollListener(IPEndPoint address, EventLoops loops)
        : base(address)
    {
        _loops = loops;
        Socket.Blocking = false;
        Libc.SetNoDelay((int)Socket.Handle);
        _accepting = new AcceptSocket((int)Socket.Handle, loops.Next());
    }

    public override async ValueTask<Connection?> AcceptAsync()
    {
        while (!_accepting.IsClosed)
        {
            int fd = Accept(out IPAddress? address);
            if (fd >= 0)
            {
                return new EpollConnection(fd, _loops.Next(), address);
            }

            int error = Libc.LastError;
            if (error == Libc.EAgain)
            {
                await _accepting.WaitAsync().ConfigureAwait(false);
            }
            else if (error is not (Libc.EIntr or Libc.EConnAborted) && !_accepting.IsClosed)
            {
                throw new IOException($"A connection could not be accepted: error {error} of the system.");
            }
        }

        return null;
    }

    public override void Dispose()
    {
        _accepting.Stop();
        Socket.Dispose();
    }

    /// <summary>Accepts one; in a method of its own because an address on the stack cannot live across an await.</summary>
    private int Accept(out IPAddress? address)
    {
        Span<byte> raw = stackalloc byte[28];
        int fd = Libc.Accept(_accepting.Fd, raw);
        address = fd < 0 ? null : Read(raw, Socket.AddressFamily is AddressFamily.InterNetworkV6);
        return fd;
    }

    private static IPAddress Read(ReadOnlySpan<byte> raw, bool v6)
    {
        if (!v6)
        {
            return new IPAddress(raw.Slice(4, 4));
        }

        var address = new IPAddress(raw.Slice(8, 16));
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private sealed class AcceptSocket : EpollSocket, IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _signal;
        private volatile bool _stopped;

        public AcceptSocket(int fd, EventLoop loop)
            : base(fd, loop) => StartEvents();

        public bool IsClosed => _stopped;

        public ValueTask WaitAsync()
        {
            _signal.Reset();
            if (TakeReadReady() || !ArmRead())
            {
                return ValueTask.CompletedTask;
            }

            if (_stopped && DisarmRead())
            {
                return ValueTask.CompletedTask;
            }

            return new ValueTask(this, _signal.Version);
        }

        public void Stop()
        {
            _stopped = true;
            AbortSocket();
            if (DisarmRead())
            {
                _signal.SetResult(true);
            }

            Detach();
        }

        void IValueTaskSource.GetResult(short token) => _signal.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _signal.GetStatus(token);

        void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _signal.OnCompleted(continuation, state, token, flags);

        protected override void OnReadable() => _signal.SetResult(true);

        protected override void OnWritable()
        {
        }
    }
}
