using System.ComponentModel;

namespace McpProxyFast.Transport.Epoll;

/// <summary>One thread that waits for its descriptors and runs whatever waited for them, there and then.</summary>
/// <remarks>
/// Descriptors are added once, edge-triggered for both directions, so a warm request costs no call but receive and send. Whatever runs here must not
/// block: it would stall every connection of the loop. Streams and long bodies come last, and a few at a time, so that a burst of theirs does not delay
/// whoever waits for the whole of a request or an answer. A descriptor's number can be used again while an event for the old one is still in the batch,
/// so events name a key of the loop's own (<see cref="DescriptorTable"/>).
/// </remarks>
internal sealed unsafe class EventLoop : Affinity, IDisposable
{
    private const int BatchSize = 256;
    private const int Forever = -1;

    /// <summary>Streams and long bodies served before the next look at all the others: some 10 µs of work each.</summary>
    private const int TurnsInARow = 32;

    private const ulong StopKey = ulong.MaxValue;

    private readonly int _epoll;

    /// <summary>Signalled to end the loop.</summary>
    private readonly int _stopEvent;

    private readonly DescriptorTable _descriptors = new();

    /// <summary>Who waits for a turn. The loop's thread only.</summary>
    private TurnQueue _turns;

    /// <summary>The batch under way, on the stack of the loop's thread.</summary>
    private byte* _events;

    /// <summary>Events in the batch.</summary>
    private int _eventCount;

    /// <summary>The next event of the batch to be told.</summary>
    private int _nextEvent;

    /// <summary>See <see cref="Pass"/>.</summary>
    private volatile uint _pass;

    /// <summary>1 once disposed.</summary>
    private int _disposed;

    /// <summary>The loop has ended, and its descriptors may be another's. Under <see cref="Closing"/>.</summary>
    private bool _isOver;

    /// <summary>The loop's thread; 0 until it runs.</summary>
    private int _threadId;

    /// <exception cref="Win32Exception">The system has no room for one more.</exception>
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
    /// Held while a descriptor of this loop, or the loop's own, is added, shut down or closed, so that nothing hits a number that has been used again.
    /// </summary>
    public Lock Closing { get; } = new();

    /// <summary>Counts how often the loop has asked the system for events.</summary>
    public uint Pass => _pass;

    /// <summary>Adds a descriptor for its whole life.</summary>
    /// <returns>False where the system refused, or the loop has ended.</returns>
    public bool TryAdd(EpollDescriptor descriptor)
    {
        const uint flags = Libc.EpollIn | Libc.EpollPri | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;
        _descriptors.Add(descriptor);
        lock (Closing)
        {
            if (!_isOver && Libc.Add(_epoll, descriptor.Fd, flags, descriptor.Key) == 0)
            {
                return true;
            }
        }

        _descriptors.Remove(descriptor);
        return false;
    }

    /// <summary>Forgets a descriptor that is about to be closed.</summary>
    public void Remove(EpollDescriptor descriptor) => _descriptors.Remove(descriptor);

    /// <summary>
    /// Whether there may be an event that its descriptor has not been told: one further on in this pass, or any where the loop has not asked the system since,
    /// or where another thread asks.
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

    /// <summary>Tells a descriptor of its turn when all others have had theirs; false on a thread that is not the loop's.</summary>
    public bool TryDefer(EpollDescriptor descriptor)
    {
        if (Environment.CurrentManagedThreadId != _threadId)
        {
            return false;
        }

        _turns.Add(descriptor, flags: 0);
        return true;
    }

    public void Dispose()
    {
        // Once: the loop closes the event, and a second signal would go to whatever has its number then.
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
            _eventCount = Libc.Wait(_epoll, events, BatchSize, _turns.IsEmpty ? Forever : 0);
            _pass++;
            for (_nextEvent = 0; _nextEvent < _eventCount;)
            {
                ulong key = Libc.EventData(events, _nextEvent);
                uint flags = Libc.EventFlags(events, _nextEvent++);
                stops |= key == StopKey;
                if (key != StopKey)
                {
                    Tell(_descriptors.Find(key), flags);
                }
            }

            GiveTurns();
        }

        lock (Closing)
        {
            _isOver = true;
            Libc.Close(_epoll);
            Libc.Close(_stopEvent);
        }
    }

    private void Tell(EpollDescriptor? descriptor, uint flags)
    {
        if (descriptor is { IsBulk: true })
        {
            _turns.Add(descriptor, flags);
        }
        else
        {
            descriptor?.OnEvents(flags);
        }
    }

    private void GiveTurns()
    {
        EpollDescriptor? last = _turns.Last;
        EpollDescriptor? served = null;
        for (int i = 0; i < TurnsInARow && served != last; i++)
        {
            served = _turns.Take(out uint flags);
            served?.OnEvents(flags);
        }
    }
}
