using System.ComponentModel;

namespace McpProxyFast.Transport;

/// <summary>One thread that waits for its descriptors and runs whatever waited for them, there and then.</summary>
/// <remarks>
/// Descriptors are added once, edge-triggered for both directions, so a warm request costs no call but receive and send. Whatever runs here must not
/// block: it would stall every connection of the loop. Streams and long bodies come last, and a few at a time, so that a burst of theirs does not delay
/// whoever waits for the whole of a request or an answer. A descriptor's number can be used again while an event for the old one is still in the batch,
/// so events name a slot and its generation.
/// </remarks>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int BatchSize = 256;
    private const int Forever = -1;

    /// <summary>Streams and long bodies served before the next look at all the others: some 10 µs of work each.</summary>
    private const int TurnsInARow = 32;

    private const ulong StopData = ulong.MaxValue;

    private readonly int _epoll;
    private readonly int _stopEvent;
    private readonly Lock _slotsLock = new();
    private readonly Stack<int> _free = new();
    private Slot[] _slots = new Slot[64];
    private TurnQueue _turns;
    private byte* _events;
    private int _eventCount;
    private int _nextEvent;
    private volatile uint _pass;
    private int _used;
    private int _disposed;
    private int _threadId;

    public EventLoop(int number)
    {
        _epoll = Libc.CreateEpoll();
        _stopEvent = Libc.OpenEvent();
        if (_epoll < 0 || _stopEvent < 0 || Libc.Add(_epoll, _stopEvent, Libc.EpollIn, StopData) < 0)
        {
            throw new Win32Exception(Libc.LastError, "The event loop could not be made.");
        }

        new Thread(Run) { IsBackground = true, Name = $"mcpproxyfast-io-{number}" }.Start();
    }

    /// <summary>Held while a socket of this loop is aborted or closed, so that an abort never hits a descriptor that has been used again.</summary>
    public Lock Closing { get; } = new();

    /// <summary>Counts how often the loop has asked the system for events.</summary>
    public uint Pass => _pass;

    /// <summary>Adds a descriptor for its whole life; its readiness is told to <paramref name="owner"/>.</summary>
    /// <returns>The slot, for <see cref="Remove"/>; -1 where the system refused.</returns>
    public int Add(int fd, EpollSocket owner)
    {
        int index;
        ulong data;
        lock (_slotsLock)
        {
            index = _free.TryPop(out int free) ? free : _used++;
            if (index == _slots.Length)
            {
                Array.Resize(ref _slots, _slots.Length * 2);
            }

            _slots[index].Owner = owner;
            data = ((ulong)_slots[index].Generation << 32) | (uint)index;
        }

        const uint flags = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;
        if (Libc.Add(_epoll, fd, flags, data) == 0)
        {
            return index;
        }

        Remove(index);
        return -1;
    }

    /// <summary>Forgets a descriptor that is about to be closed.</summary>
    public void Remove(int index)
    {
        lock (_slotsLock)
        {
            _slots[index].Owner = null;
            _slots[index].Generation++;
            _free.Push(index);
        }
    }

    /// <summary>
    /// Whether there may be an event that its socket has not been told: one further on in this pass, or any where the loop has not asked the system since, or where
    /// another thread asks.
    /// </summary>
    public bool MayHaveUntoldEvents(int slot, uint sincePass)
    {
        if (sincePass == _pass || Environment.CurrentManagedThreadId != _threadId)
        {
            return true;
        }

        for (int i = _nextEvent; i < _eventCount; i++)
        {
            if ((uint)Libc.EventData(_events, i) == (uint)slot)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Tells a socket of its turn when all others have had theirs; false on a thread that is not the loop's.</summary>
    public bool TryDefer(EpollSocket socket)
    {
        if (Environment.CurrentManagedThreadId != _threadId)
        {
            return false;
        }

        _turns.Add(socket, flags: 0);
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
        while (!stops)
        {
            _eventCount = Libc.Wait(_epoll, events, BatchSize, _turns.IsEmpty ? Forever : 0);
            _pass++;
            for (_nextEvent = 0; _nextEvent < _eventCount;)
            {
                ulong data = Libc.EventData(events, _nextEvent);
                uint flags = Libc.EventFlags(events, _nextEvent++);
                stops |= data == StopData;
                if (data != StopData)
                {
                    Tell(Find(data), flags);
                }
            }

            GiveTurns();
        }

        Libc.Close(_epoll);
        Libc.Close(_stopEvent);
    }

    private void Tell(EpollSocket? socket, uint flags)
    {
        if (socket is { IsBulk: true })
        {
            _turns.Add(socket, flags);
        }
        else
        {
            socket?.OnEvents(flags);
        }
    }

    private void GiveTurns()
    {
        EpollSocket? last = _turns.Last;
        EpollSocket? served = null;
        for (int i = 0; i < TurnsInARow && served != last; i++)
        {
            served = _turns.Take(out uint flags);
            served?.OnEvents(flags);
        }
    }

    /// <summary>Reads a slot without the lock: a stale array or owner at worst tells an event to a socket that is closed, which ignores it.</summary>
    private EpollSocket? Find(ulong data)
    {
        Slot[] slots = Volatile.Read(ref _slots);
        uint index = (uint)data;
        return index < (uint)slots.Length && slots[index].Generation == (uint)(data >> 32) ? slots[index].Owner : null;
    }

    private struct Slot
    {
        public EpollSocket? Owner;
        public uint Generation;
    }
}
