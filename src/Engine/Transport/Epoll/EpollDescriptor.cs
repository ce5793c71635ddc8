using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>Something that an event loop serves: a channel, or the acceptor of a listening socket.</summary>
internal interface IEpollMember
{
    /// <summary>The member's descriptor. It is a field of the member, so that the loop touches only one object for an event.</summary>
    ref EpollDescriptor Descriptor { get; }

    /// <summary>Called on the loop's thread.</summary>
    /// <param name="flags">
    /// The epoll events; 0 if there are none and the loop only calls because the member asked for a later turn (<see cref="EventLoop.TryDefer"/>).
    /// </param>
    void OnEvents(uint flags);

    /// <summary>Called for each member that is still in the loop when the loop has ended: no more events will come. The loop's thread does this last.</summary>
    void OnLoopEnded();
}

/// <summary>A descriptor in an event loop.</summary>
/// <remarks>
/// A mutable struct: a field of its <see cref="IEpollMember"/>, never read-only and never copied.
/// <code>
///   new ──TryRegister──► registered ──Close or Detach──► gone
/// </code>
/// A descriptor's number may be reused as soon as it is closed. So every call from a thread other than the owner's is made under the lock
/// <see cref="EventLoop.Closing"/>, after a check that the descriptor is not gone. The owner's own receives and sends need no lock, because only the owner
/// closes.
/// </remarks>
internal struct EpollDescriptor
{
    /// <summary>The descriptor's place in one of the loop's queues. Used on the loop's thread only.</summary>
    public RunQueue.Link Turn;

    /// <summary>See <see cref="IsBulk"/>.</summary>
    private volatile bool _isBulk;

    /// <summary>The descriptor is not in the loop: it could not be added, was closed, or was detached. Used under the loop's lock.</summary>
    private bool _isGone;

    /// <summary>Takes over a non-blocking descriptor.</summary>
    /// <param name="fd">The descriptor's number.</param>
    /// <param name="loop">The loop that will report the events.</param>
    /// <param name="isAccepted">See <see cref="IsAccepted"/>.</param>
    public EpollDescriptor(int fd, EventLoop loop, bool isAccepted)
    {
        Fd = fd;
        Loop = loop;
        IsAccepted = isAccepted;
    }

    /// <summary>The descriptor's number. Without the lock, only the owner may use it, until it closes the descriptor.</summary>
    public int Fd { get; }

    /// <summary>The loop that reports the events.</summary>
    public EventLoop Loop { get; }

    /// <summary>Identifies this descriptor in the loop's events. Set once, by <see cref="DescriptorTable.Add"/>, before the first event.</summary>
    public ulong Key { get; set; }

    /// <summary>
    /// The peer has opened the connection, so its events bring requests. The loop serves them after events of connections that the proxy has opened, which
    /// bring responses.
    /// </summary>
    public bool IsAccepted { get; }

    /// <summary>The events of this descriptor may wait until those of others have been served.</summary>
    public bool IsBulk
    {
        readonly get => _isBulk;
        set => _isBulk = value;
    }

    /// <summary>Starts the events. The first may arrive before this returns.</summary>
    /// <param name="member">The object that has this descriptor as a field.</param>
    /// <returns>False if the system refused. Then the caller must still close the descriptor.</returns>
    public bool TryRegister(IEpollMember member)
    {
        _isGone = !Loop.TryAdd(member);
        return !_isGone;
    }

    /// <summary>Ends both directions. The event that follows wakes pending waits. From any thread.</summary>
    public readonly void Shutdown()
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
    public readonly void ShutdownSend()
    {
        lock (Loop.Closing)
        {
            if (!_isGone)
            {
                Libc.ShutdownSend(Fd);
            }
        }
    }

    /// <summary>
    /// Asks the system for the connection's state. Returns false if the system does not report it, or the descriptor is gone. From any thread.
    /// </summary>
    public readonly bool TryReadTcpInfo(out TcpInfo.Facts facts)
    {
        lock (Loop.Closing)
        {
            facts = default;
            return !_isGone && Libc.TryReadTcpInfo(Fd, out facts);
        }
    }

    /// <summary>Checks what can be received, without consuming it. Reports an end if the descriptor is gone. From any thread.</summary>
    public readonly Arrival Look()
    {
        lock (Loop.Closing)
        {
            return _isGone ? Arrival.End : Libc.Look(Fd);
        }
    }

    /// <summary>Closes the descriptor. Only for the owner, when nothing waits. Later calls find it gone.</summary>
    /// <param name="member">The object that has this descriptor as a field.</param>
    /// <param name="reset">Whether the peer sees a reset instead of an orderly end.</param>
    public void Close(IEpollMember member, bool reset)
    {
        lock (Loop.Closing)
        {
            Debug.Assert(!_isGone, "The owner closes once.");
            _isGone = true;
            Loop.Remove(member);
            if (reset)
            {
                Libc.SetReset(Fd);
            }

            Libc.Close(Fd);
        }
    }

    /// <summary>Leaves the loop without closing the descriptor, which its owner closes.</summary>
    /// <param name="member">The object that has this descriptor as a field.</param>
    public void Detach(IEpollMember member)
    {
        lock (Loop.Closing)
        {
            if (!_isGone)
            {
                _isGone = true;
                Loop.Remove(member);
            }
        }
    }
}
