using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport.Epoll;

/// <summary>Accepts in an event loop and hands the connections to all loops in turn.</summary>
/// <remarks>
/// Stop and wait meet as a cancellation and a read do (<see cref="ConnectionReader"/>): stop sets its flag and then disarms, a wait arms and then looks at it.
/// </remarks>
internal sealed class EpollAcceptor : EpollDescriptor, IValueTaskSource
{
    /// <summary>Connections accepted before the others of the loop have their turn: some 20 µs of work each.</summary>
    private const int AcceptsInARow = 16;

    private readonly EventLoops _loops;

    /// <summary>Addresses come in the form of IPv6.</summary>
    private readonly bool _isV6;

    /// <summary>Held while one is accepted: the listening socket's number may be another's as soon as <see cref="Stop"/> has returned.</summary>
    private readonly Lock _accepting = new();

    /// <summary>Connections may be there. Given by the loop, taken by <see cref="AcceptAsync"/>.</summary>
    private Readiness _arriving;

    /// <summary>The wait that is armed.</summary>
    private ManualResetValueTaskSourceCore<bool> _signal;

    /// <summary>Accepted since the last wait.</summary>
    private int _inARow;

    /// <summary>No more connections are given. Written under <see cref="_accepting"/>, read without it. Never reset.</summary>
    private volatile bool _isStopped;

    /// <param name="socket">The listening socket, which stays its owner's.</param>
    /// <param name="loops">The loops that serve the connections; one of them accepts.</param>
    /// <exception cref="IOException">The system refused to watch the socket.</exception>
    public EpollAcceptor(Socket socket, EventLoops loops)
        : base((int)socket.Handle, loops.Next())
    {
        _loops = loops;
        _isV6 = socket.AddressFamily is AddressFamily.InterNetworkV6;
        if (!TryRegister())
        {
            throw new IOException("The system does not watch one more socket.");
        }
    }

    /// <summary>Waits for the next connection. One call at a time.</summary>
    /// <returns>Null once stopped.</returns>
    /// <exception cref="IOException">The system has no room for one more now; trying again later may succeed.</exception>
    public async ValueTask<Connection?> AcceptAsync()
    {
        if (_inARow >= AcceptsInARow)
        {
            await WaitForTurnAsync().ConfigureAwait(false);
        }

        while (!_isStopped)
        {
            int fd = Accept(out IPAddress? address, out int error);
            if (fd >= 0)
            {
                _inARow++;
                return new Connection(new EpollChannel(fd, LoopFor(fd)), address);
            }

            if (error == Libc.EAgain)
            {
                _inARow = 0;
                await WaitAsync().ConfigureAwait(false);
            }
            else if (error is not (Libc.EIntr or Libc.EConnAborted) && !_isStopped)
            {
                throw new IOException($"A connection could not be accepted: error {error} of the system.");
            }
        }

        return null;
    }

    /// <summary>Ends the wait, and gives no more connections. The listening socket is still its owner's to close.</summary>
    public void Stop()
    {
        lock (_accepting)
        {
            _isStopped = true;
        }

        Shutdown();
        if (_arriving.Disarm())
        {
            _signal.SetResult(true);
        }

        Detach();
    }

    public override void OnEvents(uint flags)
    {
        // An event, or the turn that was asked for: either way the next try may find something.
        if (_arriving.Give())
        {
            _signal.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    /// <summary>
    /// Leaves the connections that are there until the others of the loop have been served; goes on at once where that is another thread's business.
    /// </summary>
    private ValueTask WaitForTurnAsync()
    {
        _inARow = 0;
        _arriving.Take(); // an event that came meanwhile is part of what the turn will find
        return Loop.TryDefer(this) ? WaitAsync() : ValueTask.CompletedTask;
    }

    private ValueTask WaitAsync()
    {
        _signal.Reset();
        if (_arriving.Take() || !_arriving.Arm())
        {
            return ValueTask.CompletedTask;
        }

        if (_isStopped && _arriving.Disarm())
        {
            return ValueTask.CompletedTask;
        }

        return new ValueTask(this, _signal.Version);
    }

    /// <summary>Accepts one; in a method of its own because an address on the stack cannot live across an await.</summary>
    /// <param name="address">The peer's; null where none was accepted.</param>
    /// <param name="error">Why none was accepted; 0 where nobody accepts any more.</param>
    private int Accept(out IPAddress? address, out int error)
    {
        Span<byte> raw = stackalloc byte[28];
        int fd;
        lock (_accepting)
        {
            fd = _isStopped ? -1 : Libc.Accept(Fd, raw);
            error = fd >= 0 || _isStopped ? 0 : Libc.LastError;
        }

        address = fd < 0 ? null : Read(raw, _isV6);
        return fd;
    }

    /// <summary>The loop for a connection that was accepted; where there is none any more it is closed.</summary>
    private EventLoop LoopFor(int fd)
    {
        try
        {
            return _loops.Next();
        }
        catch
        {
            Libc.Close(fd);
            throw;
        }
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
}
