namespace McpProxyFast.Transport;

/// <summary>A descriptor in an event loop: who waits for which direction. Base of connections and of the listener.</summary>
/// <remarks>
/// Each direction is one word: NotReady, Ready (an event came and nobody was waiting) or Armed (somebody waits). The loop's thread and the waiter's
/// change it by compare-exchange, so exactly one of them takes each readiness. The waiter clears Ready before its system call, never after: an event
/// that comes in between then sets it anew, and at worst one call too many finds nothing.
/// </remarks>
internal abstract class EpollSocket
{
    private const int NotReady = 0;
    private const int Ready = 1;
    private const int Armed = 2;

    /// <summary>The place in the loop's queue, which is the loop's business.</summary>
    public TurnQueue.Link Turn;

    private int _slot;
    private int _readState;
    private int _writeState;
    private volatile bool _ended;
    private volatile bool _isBulk;
    private bool _closed;

    /// <summary>Takes over a non-blocking descriptor.</summary>
    protected EpollSocket(int fd, EventLoop loop)
    {
        Fd = fd;
        EventLoop = loop;
    }

    /// <summary>The descriptor. Used only by the owner of a direction while it is open.</summary>
    public int Fd { get; }

    /// <summary>The peer ended its side, or the connection is broken. Once set it stays.</summary>
    public bool PeerEnded => _ended;

    /// <summary>Its events may wait until those of other sockets have been served.</summary>
    public bool IsBulk
    {
        get => _isBulk;
        set => _isBulk = value;
    }

    protected EventLoop EventLoop { get; }

    /// <summary>Starts the events. Called last by the constructor of what is derived: one may come before this returns.</summary>
    /// <exception cref="IOException">The system refused to watch the descriptor. It has been closed.</exception>
    protected void StartEvents()
    {
        _slot = EventLoop.Add(Fd, this);
        if (_slot < 0)
        {
            _closed = true;
            Libc.Close(Fd);
            throw new IOException("The system does not watch one more socket.");
        }
    }

    /// <summary>Called on the loop's thread.</summary>
    public void OnEvents(uint flags)
    {
        if (flags == 0)
        {
            OnTurn();
            return;
        }

        const uint ends = Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr;
        bool ended = (flags & ends) != 0;
        if (ended)
        {
            // Before the readiness is given away: whoever takes it must know that there is an end behind the bytes.
            _ended = true;
        }

        if (ended || (flags & Libc.EpollIn) != 0)
        {
            if (GiveReadiness(ref _readState))
            {
                OnReadable();
            }
            else
            {
                OnUnawaited(ended);
            }
        }

        if ((flags & (Libc.EpollOut | Libc.EpollHup | Libc.EpollErr)) != 0 && GiveReadiness(ref _writeState))
        {
            OnWritable();
        }
    }

    /// <summary>The loop's pass over its sockets that is under way.</summary>
    public uint Pass => EventLoop.Pass;

    /// <summary>Whether the system may have told the loop, or be about to tell it, something that this socket has not heard.</summary>
    /// <param name="sincePass">The pass in which the socket was known to be up to date.</param>
    public bool MayHaveUntoldEvents(uint sincePass) => Turn.IsWaiting || EventLoop.MayHaveUntoldEvents(_slot, sincePass);

    /// <summary>Takes a readiness that came while nobody waited.</summary>
    public bool TakeReadReady() => TakeReadiness(ref _readState);

    /// <summary>Puts a readiness that was taken behind what the loop has for others. False on a thread that is not the loop's: then it is to be used at once.</summary>
    public bool TryWaitForTurn() => EventLoop.TryDefer(this);

    public bool TakeWriteReady() => TakeReadiness(ref _writeState);

    /// <summary>A call left bytes behind, so no event will announce them: the next taker need not wait.</summary>
    public void KeepReadReady() => Interlocked.CompareExchange(ref _readState, Ready, NotReady);

    /// <summary>Waits: true when armed, false when a readiness came in the meantime and is to be taken.</summary>
    public bool ArmRead() => Interlocked.CompareExchange(ref _readState, Armed, NotReady) == NotReady;

    public bool ArmWrite() => Interlocked.CompareExchange(ref _writeState, Armed, NotReady) == NotReady;

    /// <summary>Stops waiting; true for the one caller that took the wait back.</summary>
    public bool DisarmRead() => Interlocked.CompareExchange(ref _readState, NotReady, Armed) == Armed;

    public bool DisarmWrite() => Interlocked.CompareExchange(ref _writeState, NotReady, Armed) == Armed;

    /// <summary>Ends both directions; what is armed wakes up by the event that follows. From any thread.</summary>
    public void AbortSocket()
    {
        lock (EventLoop.Closing)
        {
            if (!_closed)
            {
                Libc.Shutdown(Fd);
            }
        }
    }

    public void ShutdownSend()
    {
        lock (EventLoop.Closing)
        {
            if (!_closed)
            {
                Libc.ShutdownSend(Fd);
            }
        }
    }

    /// <summary>Closes the descriptor. Only the owner, once nothing is armed; an abort that comes later finds it closed.</summary>
    public void CloseSocket(bool reset)
    {
        lock (EventLoop.Closing)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            EventLoop.Remove(_slot);
            if (reset)
            {
                Libc.SetReset(Fd);
            }

            Libc.Close(Fd);
        }
    }

    /// <summary>Leaves the loop without closing the descriptor, which belongs to somebody else.</summary>
    protected void Detach()
    {
        lock (EventLoop.Closing)
        {
            if (!_closed)
            {
                _closed = true;
                EventLoop.Remove(_slot);
            }
        }
    }

    protected abstract void OnReadable();

    protected abstract void OnWritable();

    /// <summary>Something can be read, or the peer ended, and nobody was waiting for it.</summary>
    protected virtual void OnUnawaited(bool ended)
    {
    }

    /// <summary>The turn has come. Whoever waited for it may have been called meanwhile, or have given up: then the readiness is kept.</summary>
    private void OnTurn()
    {
        if (DisarmRead())
        {
            OnReadable();
        }
        else
        {
            KeepReadReady();
        }
    }

    /// <summary>True when somebody was waiting, who is now to be called; else the readiness is kept.</summary>
    private static bool GiveReadiness(ref int state)
    {
        int seen = Volatile.Read(ref state);
        if (seen == Ready)
        {
            return false;
        }

        if (seen == Armed && Interlocked.CompareExchange(ref state, NotReady, Armed) == Armed)
        {
            return true;
        }

        // Armed between the two reads: the waiter saw no readiness, so it is called after all.
        return Interlocked.Exchange(ref state, Ready) == Armed && TakeReadiness(ref state);
    }

    private static bool TakeReadiness(ref int state) => Volatile.Read(ref state) == Ready && Interlocked.CompareExchange(ref state, NotReady, Ready) == Ready;
}
