using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport.Epoll;

/// <summary>Accepts connections in one event loop and distributes them over all loops.</summary>
/// <remarks>
/// <see cref="Stop"/> and a wait are ordered like a cancellation and a read in <see cref="ConnectionReader"/>: stop sets its flag and then disarms; a wait arms
/// and then checks the flag.
/// </remarks>
internal sealed class EpollAcceptor : IEpollMember, IValueTaskSource
{
    /// <summary>How many connections are accepted before the loop serves other descriptors: about 20 µs of work each.</summary>
    private const int AcceptsInARow = 16;

    private readonly EventLoops _loops;

    /// <summary>The listening socket is an IPv6 socket, so the system reports the addresses of peers in IPv6 form.</summary>
    private readonly bool _isV6;

    /// <summary>
    /// Held during each accept. So no accept is running once <see cref="Stop"/> has returned, and the number of the listening socket may be reused.
    /// </summary>
    private readonly Lock _accepting = new();

    /// <summary>The listening socket as a descriptor of its loop.</summary>
    private EpollDescriptor _socket;

    /// <summary>Set when connections may be waiting. Given by the loop, taken by <see cref="AcceptAsync"/>.</summary>
    private Readiness _arriving;

    /// <summary>Completes the armed wait. Valid from <c>Reset</c> until that wait ends.</summary>
    private ManualResetValueTaskSourceCore<bool> _signal;

    /// <summary>The number of connections accepted since the last wait.</summary>
    private int _inARow;

    /// <summary>No more connections are returned. Written under <see cref="_accepting"/>, read without it. Never reset.</summary>
    private volatile bool _isStopped;

    /// <param name="socket">The listening socket. It still belongs to the caller.</param>
    /// <param name="loops">The loops that serve the connections. One of them accepts.</param>
    /// <exception cref="IOException">The system cannot watch the socket.</exception>
    public EpollAcceptor(Socket socket, EventLoops loops)
    {
        _loops = loops;
        _socket = new EpollDescriptor((int)socket.Handle, loops.Next(), isAccepted: false);
        _isV6 = socket.AddressFamily is AddressFamily.InterNetworkV6;
        if (!_socket.TryRegister(this))
        {
            throw new IOException("The socket could not be added to epoll: the system's limit (fs.epoll.max_user_watches) is reached, or the proxy is ending.");
        }
    }

    public ref EpollDescriptor Descriptor => ref _socket;

    /// <summary>Waits for the next connection. One call at a time.</summary>
    /// <returns>The connection; null once the acceptor is stopped.</returns>
    /// <exception cref="IOException">The system has no resources for another connection now; a later try may succeed.</exception>
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
                return new Connection(new EpollChannel(fd, LoopFor(fd), isAccepted: true), address);
            }

            if (error == Libc.EAgain)
            {
                _inARow = 0;
                await WaitAsync().ConfigureAwait(false);
            }
            else if (error is not (Libc.EIntr or Libc.EConnAborted) && !_isStopped)
            {
                throw new IOException($"A connection could not be accepted (errno {error}).");
            }
        }

        return null;
    }

    /// <summary>Ends the wait. No more connections are returned. Does not close the listening socket; its owner does that afterwards.</summary>
    public void Stop()
    {
        lock (_accepting)
        {
            _isStopped = true;
        }

        _socket.Shutdown();
        if (_arriving.Disarm())
        {
            _signal.SetResult(true);
        }

        _socket.Detach(this);
    }

    public void OnEvents(uint flags)
    {
        // An event, or the turn that WaitForTurnAsync asked for. In both cases the next accept may find a connection.
        if (_arriving.Give())
        {
            _signal.SetResult(true);
        }
    }

    /// <summary>Does nothing: the <c>Listener</c> calls <see cref="Stop"/>.</summary>
    public void OnLoopEnded()
    {
    }

    void IValueTaskSource.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    /// <summary>
    /// Lets the loop serve its other descriptors before the next accept. If the caller is on another thread than the loop's, continues at once.
    /// </summary>
    private ValueTask WaitForTurnAsync()
    {
        _inARow = 0;
        _arriving.Take(); // the next accept also finds the connections that this event has reported
        return _socket.Loop.TryDefer(this) ? WaitAsync() : ValueTask.CompletedTask;
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

    /// <summary>Accepts one connection. A separate method, because a stack-allocated address cannot live across an await.</summary>
    /// <param name="address">The peer's address; null if no connection was accepted.</param>
    /// <param name="error">Why none was accepted; 0 if the acceptor was stopped.</param>
    private int Accept(out IPAddress? address, out int error)
    {
        Span<byte> raw = stackalloc byte[28];
        int fd;
        lock (_accepting)
        {
            fd = _isStopped ? -1 : Libc.Accept(_socket.Fd, raw);
            error = fd >= 0 || _isStopped ? 0 : Libc.LastError;
        }

        address = fd < 0 ? null : Read(raw, _isV6);
        return fd;
    }

    /// <summary>Chooses the loop for an accepted connection. If that fails, the connection is closed.</summary>
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
