using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>The open client connections of one proxy: counted, told of each heartbeat, drained and aborted together.</summary>
/// <remarks>
/// A connection is counted from <see cref="Enter"/> to <see cref="Leave"/>, all of its life; it is in the set, and so told of beats, from <see cref="Add"/> to
/// <see cref="Remove"/>, while it runs.
/// </remarks>
internal sealed class ConnectionSet(ILogger logger) : IHeartbeatListener
{
    private readonly Lock _changing = new();

    /// <summary>The slots below <c>_used</c> that are empty.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>The connections; replaced by a longer array, never shortened. Written under the lock, read without.</summary>
    private Interrupts?[] _slots = new Interrupts?[64];

    /// <summary>How many slots have ever been used.</summary>
    private int _used;

    /// <summary>How many connections have entered and not left.</summary>
    private int _open;

    /// <summary>Completed when the last connection leaves; null while nobody waits for that.</summary>
    private TaskCompletionSource? _emptied;

    /// <summary>How many connections are open.</summary>
    public int Count => Volatile.Read(ref _open);

    /// <summary>Counts a connection, before it runs.</summary>
    public void Enter() => Interlocked.Increment(ref _open);

    /// <summary>Counts a connection off, once everything of it has been given back.</summary>
    public void Leave()
    {
        int open = Interlocked.Decrement(ref _open);
        Debug.Assert(open >= 0, "Each connection that has entered leaves once.");
        if (open == 0)
        {
            lock (_changing)
            {
                if (Count == 0)
                {
                    _emptied?.TrySetResult();
                    _emptied = null;
                }
            }
        }
    }

    /// <summary>Adds a connection that runs; the number is for <see cref="Remove"/>.</summary>
    public int Add(Interrupts connection)
    {
        lock (_changing)
        {
            int index = _free.TryPop(out int free) ? free : _used++;
            if (index == _slots.Length)
            {
                Interrupts?[] longer = new Interrupts?[_slots.Length * 2];
                _slots.CopyTo(longer, 0);
                Volatile.Write(ref _slots, longer);
            }

            Debug.Assert(_slots[index] is null, "A free slot is empty.");
            Volatile.Write(ref _slots[index], connection);
            return index;
        }
    }

    /// <summary>Removes a connection that is about to give everything back. One more beat may be under way.</summary>
    public void Remove(int index)
    {
        lock (_changing)
        {
            Debug.Assert(_slots[index] is not null, "A connection is removed once.");
            Volatile.Write(ref _slots[index], null);
            _free.Push(index);
        }
    }

    /// <summary>
    /// Calls <paramref name="action"/> for every connection, whatever it throws for one of them. One that comes or goes meanwhile may be missed.
    /// </summary>
    public void ForEach(Action<Interrupts> action)
    {
        foreach (ref Interrupts? slot in Volatile.Read(ref _slots).AsSpan())
        {
            if (Volatile.Read(ref slot) is { } connection)
            {
                Guard(connection, action);
            }
        }
    }

    /// <summary>Tells every connection of the beat. A connection that throws must not cost the others theirs, nor the process its life.</summary>
    public void OnBeat(long nowMilliseconds)
    {
        foreach (ref Interrupts? slot in Volatile.Read(ref _slots).AsSpan())
        {
            if (Volatile.Read(ref slot) is { } connection)
            {
                try
                {
                    connection.OnBeat(nowMilliseconds);
                }
                catch (Exception bug)
                {
                    logger.DeadlinesNotSeen(bug);
                    Guard(connection, static cut => cut.Abort());
                }
            }
        }
    }

    /// <summary>Waits until no connection is open, or the time is over.</summary>
    public async Task WhenEmptyAsync(TimeSpan limit, TimeProvider clock)
    {
        Task emptied;
        lock (_changing)
        {
            if (Count == 0)
            {
                return;
            }

            _emptied ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            emptied = _emptied.Task;
        }

        await Task.WhenAny(emptied, Task.Delay(limit, clock)).ConfigureAwait(false);
    }

    private void Guard(Interrupts connection, Action<Interrupts> action)
    {
        try
        {
            action(connection);
        }
        catch (Exception bug)
        {
            logger.ConnectionNotTold(bug);
        }
    }
}
