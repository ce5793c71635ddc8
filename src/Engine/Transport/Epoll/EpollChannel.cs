using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>A channel over a TCP socket in an event loop.</summary>
/// <remarks>
/// Edge-triggered: an event reports a change once. The event is kept as a readiness until the reader or writer has tried and found nothing more. So a warm
/// request needs one receive and one send on each side, and no other system call.
/// </remarks>
internal sealed unsafe class EpollChannel : Channel, IEpollMember
{
    /// <summary>The socket as a descriptor of its loop.</summary>
    private EpollDescriptor _socket;

    /// <summary>The number of the loop's pass in which the watch was set. In a later pass, all events from before the watch have been reported.</summary>
    private uint _watchedInPass;

    /// <summary>The peer has sent urgent data. A receive stops before urgent data, even if more bytes are there. Never reset.</summary>
    private volatile bool _stopsShort;

    /// <summary>The number of bytes received so far. Used by the owner only.</summary>
    private long _received;

    /// <summary>Takes over a non-blocking socket.</summary>
    /// <param name="fd">The socket's number.</param>
    /// <param name="loop">The loop that serves it.</param>
    /// <param name="isAccepted">Whether the peer has opened the connection.</param>
    public EpollChannel(int fd, EventLoop loop, bool isAccepted) => _socket = new EpollDescriptor(fd, loop, isAccepted);

    public ref EpollDescriptor Descriptor => ref _socket;

    public override Affinity? Affinity => _socket.Loop;

    public override bool IsBulk
    {
        get => _socket.IsBulk;
        set => _socket.IsBulk = value;
    }

    public override bool StopsShort => _stopsShort;

    public override bool WasReset => _socket.TryReadTcpInfo(out TcpInfo.Facts facts) && facts.WasResetBehind(_received);

    public override int Receive(Span<byte> room)
    {
        Debug.Assert(!IsClosed && !room.IsEmpty, "A closed descriptor's number may already be used for something else.");
        fixed (byte* start = room)
        {
            while (true)
            {
                nint received = Libc.Receive(_socket.Fd, start, room.Length);
                if (received >= 0)
                {
                    _received += received;
                    return (int)received;
                }

                int failure = FailureOf(Libc.LastError);
                if (failure != 0)
                {
                    return failure;
                }
            }
        }
    }

    public override int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source)
    {
        Debug.Assert(!IsClosed, "A closed descriptor's number may already be used for something else.");
        fixed (byte* first = pending, second = source.Span)
        {
            while (true)
            {
                nint sent = pending.IsEmpty ? Libc.Send(_socket.Fd, second, source.Length)
                    : source.IsEmpty ? Libc.Send(_socket.Fd, first, pending.Length)
                    : Libc.Send(_socket.Fd, first, pending.Length, second, source.Length);
                if (sent >= 0)
                {
                    return (int)sent;
                }

                int failure = FailureOf(Libc.LastError);
                if (failure != 0)
                {
                    return failure;
                }
            }
        }
    }

    public override long CountDelivered(long taken) => _socket.TryReadTcpInfo(out TcpInfo.Facts facts) ? facts.Acknowledged : taken;

    /// <summary>The result of a connect, once the socket is writable: 0 for success, otherwise the system's error.</summary>
    public int TakeConnectError() => Libc.TakeError(_socket.Fd);

    public override void OnWatchStarted() => _watchedInPass = _socket.Loop.Pass;

    /// <summary>
    /// Without <paramref name="asksSystem"/>, asks the system only if an event of this descriptor may not have been reported yet. If all have been, nothing can
    /// have arrived.
    /// </summary>
    public override Arrival Look(bool asksSystem)
    {
        bool asks = asksSystem || Reading.IsReady || _socket.Turn.IsWaiting || _socket.Loop.MayHaveUntoldEvents(_socket.Key, _watchedInPass);
        return asks ? Libc.Look(_socket.Fd) : Arrival.Nothing;
    }

    protected override bool HasUnread => _socket.Look() is Arrival.Bytes;

    public override bool TryWaitForTurn() => _socket.Loop.TryDefer(this);

    public override void ShutdownSend() => _socket.ShutdownSend();

    protected override void Start()
    {
        if (!_socket.TryRegister(this))
        {
            Libc.Close(_socket.Fd);
            throw new IOException("The socket could not be added to epoll: the system's limit (fs.epoll.max_user_watches) is reached, or the proxy is ending.");
        }
    }

    protected override void OnAbort() => _socket.Shutdown();

    protected override void OnClose(bool reset)
    {
        _socket.Close(this, reset);
        CompleteClosed();
    }

    /// <summary>What a receive or send returns after a failed call; 0 if a signal interrupted the call, which must then be repeated.</summary>
    private static int FailureOf(int error) => error switch
    {
        Libc.EAgain => WouldBlock,
        Libc.EIntr => 0,
        _ => Broken,
    };

    public void OnEvents(uint flags)
    {
        if (flags == 0)
        {
            TellTurn();
            return;
        }

        if ((flags & Libc.EpollPri) != 0)
        {
            _stopsShort = true; // set before the readiness: the thread that takes the readiness must see this flag
        }

        bool ended = (flags & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0;
        if (ended || (flags & (Libc.EpollIn | Libc.EpollPri)) != 0)
        {
            TellReadable(ended);
        }

        if ((flags & (Libc.EpollOut | Libc.EpollHup | Libc.EpollErr)) != 0)
        {
            TellWritable();
        }
    }

    /// <summary>Ends the connection. Code that waits for it continues, and finds that it has ended.</summary>
    public void OnLoopEnded()
    {
        _socket.Shutdown();
        OnEvents(Libc.EpollIn | Libc.EpollOut | Libc.EpollHup);
    }
}
