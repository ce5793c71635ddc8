using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Upstream;

/// <summary>Creates upstream connections, and keeps clean ones that no client holds. Bounded, lock-free, newest first.</summary>
/// <remarks>
/// Slots are filled and emptied by compare-exchange, so only one caller can take a connection. Clients keep the connection that they were given, so the pool is
/// used once per client, not once per request. Searching all slots is therefore cheap enough, and a dead connection can be removed at once.
/// </remarks>
internal sealed class UpstreamPool : IHeartbeatListener, IDisposable
{
    /// <summary>For how long an idle connection counts as young. A request that must not be sent twice gets a young connection, if there is one.</summary>
    private const long YoungMilliseconds = 1000;

    private readonly Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> _connect;
    private readonly UpstreamConnection?[] _slots;
    private readonly Heartbeat _heartbeat;
    private readonly ProxyMetrics _metrics;
    private readonly long _idleMilliseconds;

    /// <summary>The idle limit for a request that must not be sent twice, if the upstream has not said how long it keeps connections.</summary>
    private readonly long _idleForOnceMilliseconds;

    private readonly long _ageMilliseconds;

    /// <summary>How long the upstream keeps idle connections, as far as it has shown that by closing them.</summary>
    private readonly IdleTimeoutEstimate _idleTimeout = new();

    /// <summary>The pool's number in the heartbeat; -1 after the pool has left it.</summary>
    private int _number;

    /// <param name="connect">Creates a connection.</param>
    /// <param name="maxIdle">The number of slots.</param>
    /// <param name="idleTimeout">How long an idle connection is kept.</param>
    /// <param name="idleForOnce">
    /// For a request that must not be sent twice: how long its connection may have been idle, unless the upstream has said how long it keeps connections.
    /// </param>
    /// <param name="maxAge">The maximum age of a connection that is used again.</param>
    /// <param name="heartbeat">The clock.</param>
    /// <param name="metrics">Counts responses that no request asked for.</param>
    public UpstreamPool(
        Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> connect,
        int maxIdle,
        TimeSpan idleTimeout,
        TimeSpan idleForOnce,
        TimeSpan maxAge,
        Heartbeat heartbeat,
        ProxyMetrics metrics)
    {
        _metrics = metrics;
        _connect = connect;
        _slots = new UpstreamConnection?[maxIdle];
        _heartbeat = heartbeat;
        _idleMilliseconds = (long)idleTimeout.TotalMilliseconds;
        _idleForOnceMilliseconds = Math.Min((long)idleForOnce.TotalMilliseconds, _idleMilliseconds);
        _ageMilliseconds = (long)maxAge.TotalMilliseconds;
        _number = heartbeat.Add(this);
    }

    /// <summary>Takes the newest idle connection that may carry the request, preferring the given affinity. Null if there is none.</summary>
    /// <param name="affinity">The affinity of the client's connection.</param>
    /// <param name="maySendTwice">Whether the request may be sent again if it is lost.</param>
    public UpstreamConnection? TryTake(Affinity? affinity, bool maySendTwice)
    {
        while (FindNewest(affinity, maySendTwice) is { } found)
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

    /// <summary>Creates a new connection.</summary>
    public async ValueTask<LeaseResult> ConnectAsync(Affinity? affinity, CancellationToken cancel)
    {
        ConnectResult result = await _connect(affinity, cancel).ConfigureAwait(false);
        return new LeaseResult(
            result.Connection is null ? null : new UpstreamConnection(result.Connection, _heartbeat, _metrics, _idleTimeout), result.Fault, result.Failure);
    }

    /// <summary>Whether an idle connection may carry a request, judged by its age and its idle time.</summary>
    /// <remarks>
    /// Upstreams close connections that were idle too long, and a request that is on its way then is lost. If it may be sent twice, it is sent again. Otherwise
    /// it gets a connection that was used recently: most servers keep idle connections for 5 s (node, uvicorn) or longer, and some say for how long. Some keep
    /// them for less and do not say so; <see cref="IdleTimeoutEstimate"/> learns their limit from the connections that they close.
    /// </remarks>
    public bool MayCarry(UpstreamConnection connection, bool maySendTwice)
    {
        long idle = _heartbeat.Now - connection.IdleSince;
        return idle < IdleLimit(connection, maySendTwice) && IsYoung(connection);
    }

    /// <summary>Whether a client's own connection, which it has just taken, should carry its request. Otherwise it gets another one.</summary>
    /// <remarks>
    /// A request that must not be sent twice gets a younger connection if its own is no longer young. Not all reasons for which upstreams close idle
    /// connections are known, but those that have been idle longest are closed first.
    /// </remarks>
    public bool ShouldCarry(UpstreamConnection own, Affinity? affinity, bool maySendTwice)
    {
        bool isYoung = _heartbeat.Now - own.IdleSince < YoungMilliseconds;
        return MayCarry(own, maySendTwice) && (isYoung || maySendTwice || !HasMuchYounger(own, affinity));
    }

    /// <summary>Whether a connection has been idle too long for any request.</summary>
    public bool IsStale(UpstreamConnection connection, long now) => now - connection.IdleSince > IdleLimit(connection, maySendTwice: true);

    /// <summary>Returns a clean connection whose client has gone. It counts as idle since its last exchange.</summary>
    public void Return(UpstreamConnection connection)
    {
        if (!IsYoung(connection))
        {
            connection.Transport.Close(reset: false);
            return;
        }

        // The watch is set before the connection is in a slot: a thread that takes it from there owns its reader, so the watch must be set by then.
        connection.RestIn(this);
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is null && Interlocked.CompareExchange(ref _slots[i], connection, null) is null)
            {
                if (connection.IsDead)
                {
                    Forget(connection); // it ended before it was in a slot
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

    public void OnBeat(long nowMilliseconds)
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { } connection && (IsStale(connection, nowMilliseconds) || !IsYoung(connection)))
            {
                connection.EndIdleLater();
            }
        }
    }

    /// <summary>Closes all idle connections.</summary>
    public void Clear()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            Volatile.Read(ref _slots[i])?.EndIdle();
        }
    }

    /// <summary>Closes all idle connections and leaves the heartbeat. A second call only closes connections.</summary>
    public void Dispose()
    {
        int number = Interlocked.Exchange(ref _number, -1);
        if (number >= 0)
        {
            _heartbeat.Remove(number);
        }

        Clear();
    }

    private bool HasMuchYounger(UpstreamConnection own, Affinity? affinity) =>
        FindNewest(affinity, maySendTwice: false) is { } found && found.Connection.IdleSince - own.IdleSince >= YoungMilliseconds;

    private (UpstreamConnection Connection, int Index)? FindNewest(Affinity? affinity, bool maySendTwice)
    {
        (UpstreamConnection Connection, int Index)? best = null;
        for (int i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { IsIdle: true } connection
                && MayCarry(connection, maySendTwice)
                && (best is null || IsBetter(connection, best.Value.Connection, affinity)))
            {
                best = (connection, i);
            }
        }

        return best;
    }

    private bool IsYoung(UpstreamConnection connection) => _heartbeat.Now - connection.MadeAt < _ageMilliseconds;

    /// <summary>
    /// The idle limit for a connection: the limit that the upstream has sent, but never more than the general one. For a request that must not be sent twice,
    /// also never more than the limit that was learned.
    /// </summary>
    private long IdleLimit(UpstreamConnection connection, bool maySendTwice)
    {
        long said = connection.KeptFor;
        long limit = said != UpstreamConnection.NotSaid ? Math.Min(said, _idleMilliseconds)
            : maySendTwice ? _idleMilliseconds
            : _idleForOnceMilliseconds;
        return maySendTwice ? limit : Math.Min(limit, _idleTimeout.SafeIdle(_heartbeat.Now));
    }

    private static bool IsBetter(UpstreamConnection one, UpstreamConnection other, Affinity? affinity)
    {
        bool oneIsNear = one.Transport.Affinity == affinity;
        return oneIsNear == (other.Transport.Affinity == affinity) ? one.IdleSince > other.IdleSince : oneIsNear;
    }

    private static void Discard(UpstreamConnection connection) => connection.Transport.Close(reset: false);
}
