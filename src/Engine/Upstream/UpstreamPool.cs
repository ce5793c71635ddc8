using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Upstream;

/// <summary>
/// Creates upstream connections, and keeps idle ones that no client holds. Their number is bounded. The one used most recently is taken first. Uses no lock.
/// </summary>
/// <remarks>
/// Slots are filled and emptied by compare-exchange, so only one caller can take a connection. Clients keep the connection that they were given, so the pool is
/// used once per client, not once per request. Searching all slots is therefore cheap enough, and a dead connection can be removed at once.
/// </remarks>
internal sealed class UpstreamPool : IHeartbeatListener, IDisposable
{
    /// <summary>
    /// If a client's own connection has been idle for this long, a request that must not be sent twice gets one from the pool that was used at least this much
    /// later, if there is one.
    /// </summary>
    private const long RecentMilliseconds = 1000;

    private readonly Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> _connect;
    private readonly UpstreamConnection?[] _slots;
    private readonly Heartbeat _heartbeat;
    private readonly ProxyMetrics _metrics;
    private readonly long _idleMilliseconds;

    /// <summary>
    /// How long a connection may have been idle for a request that must not be sent twice, if the upstream has not sent how long it keeps connections.
    /// </summary>
    private readonly long _idleForOnceMilliseconds;

    private readonly long _ageMilliseconds;

    /// <summary>The estimate of how long the upstream keeps idle connections, learned from those that it closes.</summary>
    private readonly IdleTimeoutEstimate _idleTimeout = new();

    /// <summary>The pool's number in the heartbeat; -1 after the pool has left it.</summary>
    private int _number;

    /// <param name="connect">Creates a connection.</param>
    /// <param name="maxIdle">The most idle connections that are kept.</param>
    /// <param name="idleTimeout">How long an idle connection is kept.</param>
    /// <param name="idleForOnce">
    /// For a request that must not be sent twice: how long its connection may have been idle, unless the upstream has sent how long it keeps connections.
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

    /// <summary>
    /// Takes the idle connection that was used most recently of those that may carry the request. Prefers connections of the given affinity. Null if there is
    /// none.
    /// </summary>
    /// <param name="affinity">The affinity of the client's connection: if possible, the same event loop serves both.</param>
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
    /// Upstreams close connections that were idle too long. A request that is on its way at that moment is lost. A request that may be sent twice is then sent
    /// again. Any other request gets only a connection that was used recently. Most servers keep idle connections for 5 s (node, uvicorn) or longer, and some
    /// say in <c>Keep-Alive</c> how long. Some keep them for less and do not say so; <see cref="IdleTimeoutEstimate"/> learns their limit from the connections
    /// that they close.
    /// </remarks>
    public bool MayCarry(UpstreamConnection connection, bool maySendTwice)
    {
        long idle = _heartbeat.Now - connection.IdleSince;
        return idle < IdleLimit(connection, maySendTwice) && IsBelowMaxAge(connection);
    }

    /// <summary>
    /// Whether the connection that a client holds, and that has just been taken for a request, should carry it. If not, the request gets another connection.
    /// </summary>
    /// <remarks>
    /// A request that must not be sent twice gets a connection from the pool if the client's own has been idle for a while and the pool has one that was used
    /// more recently. Not all reasons for which upstreams close idle connections are known, but those that have been idle longest are closed first.
    /// </remarks>
    public bool ShouldCarry(UpstreamConnection own, Affinity? affinity, bool maySendTwice)
    {
        bool wasUsedRecently = _heartbeat.Now - own.IdleSince < RecentMilliseconds;
        return MayCarry(own, maySendTwice) && (wasUsedRecently || maySendTwice || !HasMoreRecent(own, affinity));
    }

    /// <summary>Whether a connection has been idle too long for any request.</summary>
    public bool IsStale(UpstreamConnection connection, long now) => now - connection.IdleSince > IdleLimit(connection, maySendTwice: true);

    /// <summary>
    /// Puts a connection whose client has disconnected into the pool, or closes it if the pool is full or the connection too old. No exchange may be unfinished
    /// on it. Its idle time counts from the end of its last exchange.
    /// </summary>
    public void Return(UpstreamConnection connection)
    {
        if (!IsBelowMaxAge(connection))
        {
            connection.Transport.Close(reset: false);
            return;
        }

        // The watch is set before the connection is in a slot. Once it is, another thread may take it and own its reader, and only the owner may set a watch.
        connection.RestIn(this);
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is null && Interlocked.CompareExchange(ref _slots[i], connection, null) is null)
            {
                if (connection.IsDead)
                {
                    Forget(connection); // it ended before it was in the slot, so nobody else empties the slot
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
            if (Volatile.Read(ref _slots[i]) is { } connection && (IsStale(connection, nowMilliseconds) || !IsBelowMaxAge(connection)))
            {
                connection.EndIdleLater();
            }
        }
    }

    /// <summary>Closes all idle connections in the pool.</summary>
    public void Clear()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            Volatile.Read(ref _slots[i])?.EndIdle();
        }
    }

    /// <summary>Closes all idle connections in the pool and leaves the heartbeat. A second call only closes connections.</summary>
    public void Dispose()
    {
        int number = Interlocked.Exchange(ref _number, -1);
        if (number >= 0)
        {
            _heartbeat.Remove(number);
        }

        Clear();
    }

    private bool HasMoreRecent(UpstreamConnection own, Affinity? affinity) =>
        FindNewest(affinity, maySendTwice: false) is { } found && found.Connection.IdleSince - own.IdleSince >= RecentMilliseconds;

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

    private bool IsBelowMaxAge(UpstreamConnection connection) => _heartbeat.Now - connection.MadeAt < _ageMilliseconds;

    /// <summary>
    /// How long a connection may have been idle to carry a request. If the upstream has sent a limit, that one counts, but at most the general one. If not, the
    /// general one counts, or the shorter one for requests that must not be sent twice. For these, the limit that was learned counts too.
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
        bool oneHasAffinity = one.Transport.Affinity == affinity;
        return oneHasAffinity == (other.Transport.Affinity == affinity) ? one.IdleSince > other.IdleSince : oneHasAffinity;
    }

    private static void Discard(UpstreamConnection connection) => connection.Transport.Close(reset: false);
}
