using System.ComponentModel;

namespace McpProxyFast.Transport.Epoll;

/// <summary>One thread that waits for events of its descriptors and runs the code that waits for them.</summary>
/// <remarks>
/// Descriptors are added once, edge-triggered for both directions, so a warm request needs no system calls except receive and send. Code that runs here must
/// not block: it would stall every connection of the loop. A descriptor's number may be reused while an event for the old one is still in the batch, so events
/// carry the loop's own keys (<see cref="DescriptorTable"/>).
/// <para>
/// A pass is one call of <c>epoll_wait</c> and what the loop does until the next. It serves in this order: all events of connections that the proxy has opened,
/// since they bring responses; some accepted connections, since they bring requests; some streams and long bodies. So exchanges that have begun end before many
/// others begin. Then few are in flight at a time, and their data stays in the processor's cache. And a burst of events of streams does not delay connections
/// that wait for a whole request or response.
/// </para>
/// </remarks>
internal sealed unsafe class EventLoop : Affinity, IDisposable
{
    private const int BatchSize = 256;
    private const int Forever = -1;

    /// <summary>How many accepted connections one pass serves at most. To serve one takes about 10 µs.</summary>
    private const int RequestsInARow = 32;

    /// <summary>How many streams and long bodies one pass serves at most if no accepted connection waits.</summary>
    private const int TurnsInARow = 32;

    /// <summary>How many streams and long bodies one pass serves at most if accepted connections wait.</summary>
    private const int TurnsBesideRequests = 8;

    private const ulong StopKey = ulong.MaxValue;

    private readonly int _epoll;

    /// <summary>The eventfd that is signalled to end the loop.</summary>
    private readonly int _stopEvent;

    private readonly DescriptorTable _members = new();

    /// <summary>The accepted connections that have events, without streams and long bodies. Used on the loop's thread only.</summary>
    private RunQueue _requests;

    /// <summary>The streams and long bodies that have events, and the members that <see cref="TryDefer"/> has added. Used on the loop's thread only.</summary>
    private RunQueue _turns;

    /// <summary>The batch of events of the present pass, on the stack of the loop's thread.</summary>
    private byte* _events;

    /// <summary>The number of events in the batch.</summary>
    private int _eventCount;

    /// <summary>The index in the batch of the next event to report.</summary>
    private int _nextEvent;

    /// <summary>See <see cref="Pass"/>.</summary>
    private volatile uint _pass;

    /// <summary>1 once disposed.</summary>
    private int _disposed;

    /// <summary>
    /// The loop has ended, and the numbers of its own descriptors may be reused. Written only by the loop's thread, under <see cref="Closing"/>. That thread
    /// reads it without the lock; other threads take the lock.
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
    /// Held while a descriptor of a member, or one of the loop's own, is added, shut down or closed. So no call can hit a number that was reused.
    /// </summary>
    public Lock Closing { get; } = new();

    /// <summary>The number of the present pass: how often the loop has asked the system for events.</summary>
    public uint Pass => _pass;

    /// <summary>Adds a member until its descriptor is closed or detached.</summary>
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

    /// <summary>Removes a member whose descriptor is about to be closed or detached.</summary>
    public void Remove(IEpollMember member) => _members.Remove(member);

    /// <summary>
    /// Whether there may be an event for this key that was not reported to its member. On the loop's thread, after the pass <paramref name="sincePass"/>, this
    /// is true only if the rest of the loop's batch has such an event. In every other case it is true.
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

    /// <summary>
    /// Queues a member that has no event, so that the loop calls it after the members that already wait. Returns false if the caller is on another thread than
    /// the loop's, or the loop has ended.
    /// </summary>
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
        // Signalled only once: the loop then closes _stopEvent, and at a second signal its number may belong to something else.
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

        // These members are still open, but no event will come for them any more. Code that waits for one must continue.
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

    /// <summary>
    /// Serves the members that are in the queue now, at most <paramref name="most"/>. Members that are added meanwhile wait for the next pass.
    /// </summary>
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
