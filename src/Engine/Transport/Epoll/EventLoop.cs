using System.ComponentModel;

namespace McpProxyFast.Transport.Epoll;

/// <summary>One thread that waits for events of its descriptors and runs the waiting code inline.</summary>
/// <remarks>
/// Descriptors are added once, edge-triggered for both directions, so a warm request needs no system calls except receive and send. Code that runs here must
/// not block: it would stall every connection of the loop. A descriptor's number may be reused while an event for the old one is still in the batch, so events
/// carry the loop's own keys (<see cref="DescriptorTable"/>).
/// <para>
/// Each pass serves in this order: what the proxy's own connections have brought, which are answers; a few accepted connections, which bring requests; a few
/// streams and long bodies. So an exchange that has begun ends before many others begin: few are in flight, and what they need is still in the processor's
/// cache. And a burst of events of streams does not delay connections that wait for a whole request or response.
/// </para>
/// </remarks>
internal sealed unsafe class EventLoop : Affinity, IDisposable
{
    private const int BatchSize = 256;
    private const int Forever = -1;

    /// <summary>How many accepted connections are served before the loop asks for new events: about 10 µs of work each.</summary>
    private const int RequestsInARow = 32;

    /// <summary>The same for streams and long bodies while no request waits.</summary>
    private const int TurnsInARow = 32;

    /// <summary>The same while requests wait.</summary>
    private const int TurnsBesideRequests = 8;

    private const ulong StopKey = ulong.MaxValue;

    private readonly int _epoll;

    /// <summary>Signalled to end the loop.</summary>
    private readonly int _stopEvent;

    private readonly DescriptorTable _members = new();

    /// <summary>The accepted connections that have events. Used on the loop's thread only.</summary>
    private RunQueue _requests;

    /// <summary>The streams and long bodies that have events, and descriptors that asked for a turn. Used on the loop's thread only.</summary>
    private RunQueue _turns;

    /// <summary>The present batch of events, on the stack of the loop's thread.</summary>
    private byte* _events;

    /// <summary>The number of events in the batch.</summary>
    private int _eventCount;

    /// <summary>The index of the next event to report.</summary>
    private int _nextEvent;

    /// <summary>See <see cref="Pass"/>.</summary>
    private volatile uint _pass;

    /// <summary>1 once disposed.</summary>
    private int _disposed;

    /// <summary>
    /// The loop has ended, and the numbers of its descriptors may be reused. Used under <see cref="Closing"/>; the loop's thread, which alone writes it, reads
    /// it without.
    /// </summary>
    private bool _isOver;

    /// <summary>The id of the loop's thread; 0 until it runs.</summary>
    private int _threadId;

    /// <exception cref="Win32Exception">The system has no resources for another loop.</exception>
    public EventLoop(int number)
    {
        _epoll = Libc.CreateEpoll();
        _stopEvent = Libc.OpenEvent();
        if (_epoll < 0 || _stopEvent < 0 || Libc.Add(_epoll, _stopEvent, Libc.EpollIn, StopKey) < 0)
        {
            var fault = new Win32Exception(Libc.LastError, "The event loop could not be made.");
            Libc.Close(_epoll);
            Libc.Close(_stopEvent);
            throw fault;
        }

        new Thread(Run) { IsBackground = true, Name = $"mcpproxyfast-io-{number}" }.Start();
    }

    /// <summary>
    /// Held while a descriptor of this loop, or one of the loop itself, is added, shut down or closed. So no call can hit a number that was reused.
    /// </summary>
    public Lock Closing { get; } = new();

    /// <summary>How often the loop has asked the system for events.</summary>
    public uint Pass => _pass;

    /// <summary>Adds a member for the whole life of its descriptor.</summary>
    /// <returns>False if the system refused, or the loop has ended.</returns>
    public bool TryAdd(IEpollMember member)
    {
        const uint flags = Libc.EpollIn | Libc.EpollPri | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;
        lock (Closing)
        {
            if (_isOver)
            {
                return false;
            }

            _members.Add(member);
            ref EpollDescriptor added = ref member.Descriptor;
            if (Libc.Add(_epoll, added.Fd, flags, added.Key) == 0)
            {
                return true;
            }

            _members.Remove(member);
            return false;
        }
    }

    /// <summary>Removes a member whose descriptor is about to be closed.</summary>
    public void Remove(IEpollMember member) => _members.Remove(member);

    /// <summary>
    /// Whether there may be an event that was not reported to its descriptor. That is so if one follows in this batch, if the loop has not asked the system
    /// since, or if the caller is on another thread.
    /// </summary>
    public bool MayHaveUntoldEvents(ulong key, uint sincePass)
    {
        if (sincePass == _pass || Environment.CurrentManagedThreadId != _threadId)
        {
            return true;
        }

        for (int i = _nextEvent; i < _eventCount; i++)
        {
            if (Libc.EventData(_events, i) == key)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives a member its turn after all others have been served. Returns false on any thread but the loop's, and once that has ended.</summary>
    public bool TryDefer(IEpollMember member)
    {
        if (Environment.CurrentManagedThreadId != _threadId || _isOver)
        {
            return false;
        }

        _turns.Add(member, flags: 0);
        return true;
    }

    public void Dispose()
    {
        // Only once: the loop closes the event's descriptor, and its number may be used for something else by the time of a second signal.
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Libc.Signal(_stopEvent);
        }
    }

    private void Run()
    {
        byte* events = stackalloc byte[BatchSize * Libc.EventSize];
        bool stops = false;
        _events = events;
        _threadId = Environment.CurrentManagedThreadId;
        ThreadShare.ClaimLoopsShare();
        while (!stops)
        {
            _eventCount = Libc.Wait(_epoll, events, BatchSize, _requests.IsEmpty && _turns.IsEmpty ? Forever : 0);
            _pass++;
            for (_nextEvent = 0; _nextEvent < _eventCount;)
            {
                ulong key = Libc.EventData(events, _nextEvent);
                uint flags = Libc.EventFlags(events, _nextEvent++);
                stops |= key == StopKey;
                if (key != StopKey)
                {
                    Tell(_members.Find(key), flags);
                }
            }

            Serve(ref _requests, RequestsInARow);
            Serve(ref _turns, _requests.IsEmpty ? TurnsInARow : TurnsBesideRequests);
        }

        lock (Closing)
        {
            _isOver = true;
            Libc.Close(_epoll);
            Libc.Close(_stopEvent);
        }

        // These members were added while the loop was ending, or are still open. Nothing may wait for an event that never comes.
        foreach (IEpollMember left in _members.All())
        {
            left.OnLoopEnded();
        }
    }

    private void Tell(IEpollMember? member, uint flags)
    {
        if (member is null)
        {
            return;
        }

        ref EpollDescriptor descriptor = ref member.Descriptor;
        if (descriptor.IsBulk)
        {
            _turns.Add(member, flags);
        }
        else if (descriptor.IsAccepted)
        {
            _requests.Add(member, flags);
        }
        else
        {
            member.OnEvents(flags);
        }
    }

    /// <summary>Serves the members that wait now, at most <paramref name="most"/>. Members that are added meanwhile wait for the next pass.</summary>
    private static void Serve(ref RunQueue queue, int most)
    {
        IEpollMember? last = queue.Last;
        IEpollMember? served = null;
        for (int i = 0; i < most && served != last; i++)
        {
            served = queue.Take(out uint flags);
            served?.OnEvents(flags);
        }
    }
}
