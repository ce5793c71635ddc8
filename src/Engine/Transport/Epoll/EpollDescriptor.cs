using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>A descriptor in an event loop. Base of what is told its events: a channel, or a listening socket's acceptor.</summary>
/// <remarks>
/// <code>
///   new ──TryRegister──► registered ──Close or Detach──► gone
/// </code>
/// A descriptor's number is used again as soon as it is closed, so every call of another thread than the owner's is made under the loop's
/// <see cref="EventLoop.Closing"/>, after a look whether it is gone. The owner's own receives and sends need no lock: nobody but the owner closes.
/// </remarks>
internal abstract class EpollDescriptor
{
    /// <summary>The place in the loop's queue, which is the loop's business.</summary>
    public TurnQueue.Link Turn;

    /// <summary>See <see cref="IsBulk"/>.</summary>
    private volatile bool _isBulk;

    /// <summary>The loop has forgotten the descriptor. Under the loop's lock.</summary>
    private bool _isGone;

    /// <summary>Takes over a non-blocking descriptor.</summary>
    protected EpollDescriptor(int fd, EventLoop loop)
    {
        Fd = fd;
        Loop = loop;
    }

    /// <summary>The descriptor. Used only by the owner of a direction while it is open.</summary>
    public int Fd { get; }

    /// <summary>The loop that tells the events.</summary>
    public EventLoop Loop { get; }

    /// <summary>By which the loop's events name this descriptor. Set once, by <see cref="DescriptorTable.Add"/>, before the first event.</summary>
    public ulong Key { get; set; }

    /// <summary>Its events may wait until those of others have been served.</summary>
    public bool IsBulk
    {
        get => _isBulk;
        set => _isBulk = value;
    }

    /// <summary>Starts the events. One may come before this returns.</summary>
    /// <returns>False where the system refused. Then the descriptor is still the caller's to close.</returns>
    public bool TryRegister()
    {
        _isGone = !Loop.TryAdd(this);
        return !_isGone;
    }

    /// <summary>Called on the loop's thread.</summary>
    /// <param name="flags">What has happened; 0 where only the turn has come.</param>
    public abstract void OnEvents(uint flags);

    /// <summary>Ends both directions; what waits is woken by the event that follows. From any thread.</summary>
    public void Shutdown()
    {
        lock (Loop.Closing)
        {
            if (!_isGone)
            {
                Libc.Shutdown(Fd);
            }
        }
    }

    /// <summary>Ends the sending direction. From any thread.</summary>
    public void ShutdownSend()
    {
        lock (Loop.Closing)
        {
            if (!_isGone)
            {
                Libc.ShutdownSend(Fd);
            }
        }
    }

    /// <summary>Asks what the system says of the connection; false where it does not say, or the descriptor is gone. From any thread.</summary>
    public bool TryReadTcpInfo(out TcpInfo.Facts facts)
    {
        lock (Loop.Closing)
        {
            facts = default;
            return !_isGone && Libc.TryReadTcpInfo(Fd, out facts);
        }
    }

    /// <summary>Looks at what can be received, and leaves it there; an end where the descriptor is gone. From any thread.</summary>
    public Arrival Look()
    {
        lock (Loop.Closing)
        {
            return _isGone ? Arrival.End : Libc.Look(Fd);
        }
    }

    /// <summary>Closes the descriptor. Only the owner, once nothing waits; what comes later finds it gone.</summary>
    public void Close(bool reset)
    {
        lock (Loop.Closing)
        {
            Debug.Assert(!_isGone, "The owner closes once.");
            _isGone = true;
            Loop.Remove(this);
            if (reset)
            {
                Libc.SetReset(Fd);
            }

            Libc.Close(Fd);
        }
    }

    /// <summary>Leaves the loop without closing the descriptor, which belongs to somebody else.</summary>
    public void Detach()
    {
        lock (Loop.Closing)
        {
            if (!_isGone)
            {
                _isGone = true;
                Loop.Remove(this);
            }
        }
    }
}
