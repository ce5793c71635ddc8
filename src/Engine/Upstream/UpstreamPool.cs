using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Upstream;

/// <summary>Makes upstream connections and keeps the clean ones that no client holds: bounded, lock-free, newest first.</summary>
/// <remarks>
/// A slot is filled and emptied by compare-exchange, so a connection has one taker. Traffic here comes with clients, not with requests: a client keeps the
/// connection it was given. Looking through all slots is therefore cheap enough, and lets a dead connection leave at once.
/// </remarks>
internal sealed class UpstreamPool : IHeartbeatListener, IDisposable
{
    private readonly Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> _connect;
    private readonly UpstreamConnection?[] _slots;
    private readonly Heartbeat _heartbeat;
    private readonly Tally _tally;
    private readonly long _idleMilliseconds;
    private readonly long _ageMilliseconds;

    /// <summary>Its place at the heartbeat; -1 once it has left.</summary>
    private int _number;

    /// <param name="connect">Makes a connection.</param>
    /// <param name="mostIdle">Slots.</param>
    /// <param name="idleTimeout">An idle connection is closed after this.</param>
    /// <param name="maxAge">A connection is not used again after this.</param>
    /// <param name="heartbeat">The clock.</param>
    /// <param name="tally">Told of bytes that nobody asked for.</param>
    public UpstreamPool(
        Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> connect,
        int mostIdle,
        TimeSpan idleTimeout,
        TimeSpan maxAge,
        Heartbeat heartbeat,
        Tally tally)
    {
        _tally = tally;
        _connect = connect;
        _slots = new UpstreamConnection?[mostIdle];
        _heartbeat = heartbeat;
        _idleMilliseconds = (long)idleTimeout.TotalMilliseconds;
        _ageMilliseconds = (long)maxAge.TotalMilliseconds;
        _number = heartbeat.Add(this);
    }

    /// <summary>Takes the newest idle connection, one of the same affinity first; null where there is none.</summary>
    public UpstreamConnection? TryTake(Affinity? affinity)
    {
        while (FindNewest(affinity) is { } found)
        {
            if (Interlocked.CompareExchange(ref _slots[found.Index], null, found.Connection) != found.Connection)
            {
                continue;
            }

            if (found.Connection.TryTake())
            {
                return found.Connection;
            }

            Discard(found.Connection);
        }

        return null;
    }

    /// <summary>Makes a new connection.</summary>
    public async ValueTask<(UpstreamConnection? Connection, FaultReason Fault)> ConnectAsync(Affinity? affinity, CancellationToken cancel)
    {
        ConnectResult result = await _connect(affinity, cancel).ConfigureAwait(false);
        return (result.Connection is null ? null : new UpstreamConnection(result.Connection, _heartbeat, _tally), result.Fault);
    }

    /// <summary>Whether a clean connection may carry another exchange by its age.</summary>
    public bool IsYoung(UpstreamConnection connection) => _heartbeat.Now - connection.MadeAt < _ageMilliseconds;

    /// <summary>Whether an idle connection has been so for too long.</summary>
    public bool IsStale(UpstreamConnection connection, long now) => now - connection.IdleSince > _idleMilliseconds;

    /// <summary>Gives back a clean connection whose client has gone.</summary>
    public void Return(UpstreamConnection connection)
    {
        if (!IsYoung(connection))
        {
            connection.Transport.Close(reset: false);
            return;
        }

        // Watched before it can be found: whoever takes it from its slot owns its reader, and must not meet the watch being set.
        connection.RestIn(this, _heartbeat.Now);
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is null && Interlocked.CompareExchange(ref _slots[i], connection, null) is null)
            {
                if (connection.IsDead)
                {
                    Forget(connection); // it ended before it had a slot
                }

                return;
            }
        }

        connection.EndIdle();
    }

    /// <summary>Empties the slot of a connection that ended while it was idle.</summary>
    public void Forget(UpstreamConnection connection)
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Interlocked.CompareExchange(ref _slots[i], null, connection) == connection)
            {
                return;
            }
        }
    }

    public void OnBeat(long nowMilliseconds) => EndIdle(connection => IsStale(connection, nowMilliseconds) || !IsYoung(connection));

    /// <summary>Closes every idle connection.</summary>
    public void Clear() => EndIdle(static _ => true);

    /// <summary>Closes every idle connection and leaves the heartbeat. A second call only does the first.</summary>
    public void Dispose()
    {
        int number = Interlocked.Exchange(ref _number, -1);
        if (number >= 0)
        {
            _heartbeat.Remove(number);
        }

        Clear();
    }

    private void EndIdle(Func<UpstreamConnection, bool> ends)
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { } connection && ends(connection))
            {
                connection.EndIdle();
            }
        }
    }

    private (UpstreamConnection Connection, int Index)? FindNewest(Affinity? affinity)
    {
        (UpstreamConnection Connection, int Index)? best = null;
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { IsIdle: true } connection && (best is null || IsBetter(connection, best.Value.Connection, affinity)))
            {
                best = (connection, i);
            }
        }

        return best;
    }

    private static bool IsBetter(UpstreamConnection one, UpstreamConnection other, Affinity? affinity)
    {
        bool oneIsNear = one.Transport.Affinity == affinity;
        return oneIsNear == (other.Transport.Affinity == affinity) ? one.IdleSince > other.IdleSince : oneIsNear;
    }

    private static void Discard(UpstreamConnection connection) => connection.Transport.Close(reset: false);
}
