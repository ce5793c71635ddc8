using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>The open client connections of one proxy. Counts them, passes them the heartbeat, and drains or aborts them together.</summary>
/// <remarks>
/// A connection is counted from <see cref="Enter"/> to <see cref="Leave"/>, for all of its life. From <see cref="Add"/> to <see cref="Remove"/>, while it runs,
/// it is in the set and gets the beats.
/// </remarks>
internal sealed class ConnectionSet(ILogger logger) : IHeartbeatListener
{
    private readonly Lock _changing = new();

    /// <summary>Empty slots below <c>_used</c>.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>The connections. Replaced by a longer array, never shortened. Written under the lock, read without it.</summary>
    private Interrupts?[] _slots = new Interrupts?[64];

    /// <summary>The number of slots ever used.</summary>
    private int _used;

    /// <summary>The number of connections that have entered and not left.</summary>
    private int _open;

    /// <summary>Completed when the last connection leaves. Null while nobody waits for that.</summary>
    private TaskCompletionSource? _emptied;

    /// <summary>The number of open connections.</summary>
    public int Count => Volatile.Read(ref _open);

    /// <summary>Counts a connection, before it starts.</summary>
    public void Enter() => Interlocked.Increment(ref _open);

    /// <summary>Stops counting a connection that has released everything.</summary>
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

    /// <summary>Adds a running connection. The returned number is for <see cref="Remove"/>.</summary>
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

    /// <summary>Removes a connection that is about to release everything. A beat that is already running may still be passed to it.</summary>
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
    /// Calls <paramref name="action"/> for every connection, even if it throws for one of them. Connections added or removed meanwhile may be missed.
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

    /// <summary>Passes the beat to every connection. An exception must affect neither the other connections nor the process.</summary>
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
                    connection.FailBeat(bug);
                }
            }
        }
    }

    /// <summary>Waits until no connection is open, or the time has passed.</summary>
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
