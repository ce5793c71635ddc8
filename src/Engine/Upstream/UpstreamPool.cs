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

    /// <summary>The same for a request that must not be sent twice, where the upstream has not said how long it keeps connections.</summary>
    private readonly long _idleForOnceMilliseconds;

    private readonly long _ageMilliseconds;

    /// <summary>Its place at the heartbeat; -1 once it has left.</summary>
    private int _number;

    /// <param name="connect">Makes a connection.</param>
    /// <param name="mostIdle">Slots.</param>
    /// <param name="idleTimeout">An idle connection is closed after this.</param>
    /// <param name="idleForOnce">After this an idle connection gets no request that must not be sent twice, unless the upstream says that it keeps it.</param>
    /// <param name="maxAge">A connection is not used again after this.</param>
    /// <param name="heartbeat">The clock.</param>
    /// <param name="tally">Told of bytes that nobody asked for.</param>
    public UpstreamPool(
        Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> connect,
        int mostIdle,
        TimeSpan idleTimeout,
        TimeSpan idleForOnce,
        TimeSpan maxAge,
        Heartbeat heartbeat,
        Tally tally)
    {
        _tally = tally;
        _connect = connect;
        _slots = new UpstreamConnection?[mostIdle];
        _heartbeat = heartbeat;
        _idleMilliseconds = (long)idleTimeout.TotalMilliseconds;
        _idleForOnceMilliseconds = Math.Min((long)idleForOnce.TotalMilliseconds, _idleMilliseconds);
        _ageMilliseconds = (long)maxAge.TotalMilliseconds;
        _number = heartbeat.Add(this);
    }

    /// <summary>Takes the newest idle connection that may carry a request, one of the same affinity first; null where there is none.</summary>
    /// <param name="affinity">What serves the client.</param>
    /// <param name="isIdempotent">The request may be sent twice.</param>
    public UpstreamConnection? TryTake(Affinity? affinity, bool isIdempotent)
    {
        while (FindNewest(affinity, isIdempotent) is { } found)
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
    public async ValueTask<LeaseResult> ConnectAsync(Affinity? affinity, CancellationToken cancel)
    {
        ConnectResult result = await _connect(affinity, cancel).ConfigureAwait(false);
        return new LeaseResult(
            result.Connection is null ? null : new UpstreamConnection(result.Connection, _heartbeat, _tally), result.Fault, result.Failure);
    }

    /// <summary>Whether an idle connection may carry a request, by its age and by how long it has been idle.</summary>
    /// <remarks>
    /// An upstream closes what has been idle for too long for it, and a request that is on its way then is lost. One that may be sent twice is sent again; any
    /// other gets a connection that has been used lately: servers keep idle connections for 5 s (node, uvicorn) or longer, and some say for how long.
    /// </remarks>
    public bool MayCarry(UpstreamConnection connection, bool isIdempotent)
    {
        long idle = _heartbeat.Now - connection.IdleSince;
        return idle < IdleLimit(connection, isIdempotent) && IsYoung(connection);
    }

    /// <summary>Whether an idle connection has been so for too long, whatever it might carry.</summary>
    public bool IsStale(UpstreamConnection connection, long now) => now - connection.IdleSince > IdleLimit(connection, isIdempotent: true);

    /// <summary>Gives back a clean connection whose client has gone. It has been idle since its last exchange.</summary>
    public void Return(UpstreamConnection connection)
    {
        if (!IsYoung(connection))
        {
            connection.Transport.Close(reset: false);
            return;
        }

        // Watched before it can be found: whoever takes it from its slot owns its reader, and must not meet the watch being set.
        connection.RestIn(this);
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

    private (UpstreamConnection Connection, int Index)? FindNewest(Affinity? affinity, bool isIdempotent)
    {
        (UpstreamConnection Connection, int Index)? best = null;
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { IsIdle: true } connection
                && MayCarry(connection, isIdempotent)
                && (best is null || IsBetter(connection, best.Value.Connection, affinity)))
            {
                best = (connection, i);
            }
        }

        return best;
    }

    private bool IsYoung(UpstreamConnection connection) => _heartbeat.Now - connection.MadeAt < _ageMilliseconds;

    /// <summary>What the upstream has said counts, within the bound for all.</summary>
    private long IdleLimit(UpstreamConnection connection, bool isIdempotent)
    {
        long said = connection.KeptFor;
        return said != UpstreamConnection.NotSaid ? Math.Min(said, _idleMilliseconds)
            : isIdempotent ? _idleMilliseconds
            : _idleForOnceMilliseconds;
    }

    private static bool IsBetter(UpstreamConnection one, UpstreamConnection other, Affinity? affinity)
    {
        bool oneIsNear = one.Transport.Affinity == affinity;
        return oneIsNear == (other.Transport.Affinity == affinity) ? one.IdleSince > other.IdleSince : oneIsNear;
    }

    private static void Discard(UpstreamConnection connection) => connection.Transport.Close(reset: false);
}
