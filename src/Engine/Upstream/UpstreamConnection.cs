using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Upstream;

/// <summary>One connection to the upstream, with its user, its age, and whether it is still clean.</summary>
/// <remarks>
/// An idle connection is watched, and any byte or end that arrives then ends it. Otherwise a response that no request asked for would be taken for the next
/// request's response (RFC 9112 §9.3, RFC 9110 §15).
/// <code>
///   InUse ──Hold──► Settling ──► Held ────┐
///     ▲  └──Rest──► Settling ──► Pooled ──┤──TryTake──► InUse
///     │                │          │       └──EndIdle──► Dead
///     └────────────────┼──────────┘
///                      └──the watch, an end──► Dead
/// </code>
/// States change by compare-exchange, so only one of watch, heartbeat and taker succeeds. In Settling, only the owner acts: an end is recorded, and the owner
/// then does what is needed. The one that changes Pooled to Dead closes the connection. The one that changes Held to Dead only aborts it; its client closes it.
/// </remarks>
internal sealed class UpstreamConnection : IConnectionWatch, IThreadPoolWorkItem
{
    private const int InUse = 0;
    private const int Settling = 1;
    private const int Held = 2;
    private const int Pooled = 3;
    private const int Dead = 4;

    /// <summary>The upstream has not said how long it keeps idle connections.</summary>
    public const long NotSaid = -1;

    private readonly Heartbeat _heartbeat;
    private readonly ProxyMetrics _metrics;

    /// <summary>Learns when the upstream ends this connection while it is idle.</summary>
    private readonly IdleTimeoutEstimate _idleTimeout;

    /// <summary>One of the states above.</summary>
    private int _state;

    /// <summary>The pool that keeps the connection; null if a client does. Valid while Held or Pooled, and from then on once it is Dead.</summary>
    private UpstreamPool? _pool;

    /// <summary>See <see cref="IdleSince"/>.</summary>
    private long _idleSince;

    /// <summary>See <see cref="KeptFor"/>.</summary>
    private long _keptFor = NotSaid;

    public UpstreamConnection(Connection transport, Heartbeat heartbeat, ProxyMetrics metrics, IdleTimeoutEstimate idleTimeout)
    {
        Transport = transport;
        MadeAt = heartbeat.Now;
        _idleSince = MadeAt;
        _heartbeat = heartbeat;
        _metrics = metrics;
        _idleTimeout = idleTimeout;
    }

    /// <summary>The transport. Only for the owner, which has taken or created the connection.</summary>
    public Connection Transport { get; }

    /// <summary>When it was created, in the heartbeat's time.</summary>
    public long MadeAt { get; }

    /// <summary>Since when no exchange has used it, in the heartbeat's time. Valid while it is idle, held or pooled, and until it is held again.</summary>
    public long IdleSince => Volatile.Read(ref _idleSince);

    /// <summary>
    /// How long it may be idle according to the upstream, minus a margin, in milliseconds; <see cref="NotSaid"/> if the upstream has not said.
    /// </summary>
    public long KeptFor => Volatile.Read(ref _keptFor);

    /// <summary>Whether it has carried an exchange before. Then the upstream may close it just when it is used again.</summary>
    public bool IsReused { get; private set; }

    public bool IsIdle => Volatile.Read(ref _state) is Held or Pooled;

    /// <summary>Whether it ended while it was idle. Never becomes false again.</summary>
    public bool IsDead => Volatile.Read(ref _state) is Dead;

    /// <summary>Records how long the upstream keeps the connection idle. Only for its user.</summary>
    public void KeepFor(int seconds)
    {
        Debug.Assert(seconds >= 0 && !IsIdle, "An answer has said it, so the connection is in use.");
        Volatile.Write(ref _keptFor, IdleTimeoutEstimate.WithMargin(seconds * 1000L));
    }

    /// <summary>Called when a client keeps the connection between two of its exchanges.</summary>
    /// <param name="idleSince">
    /// Since when it is idle, in the heartbeat's time: usually now; the time of its last answer if the exchange waited for something after that.
    /// </param>
    public void Hold(long idleSince)
    {
        Volatile.Write(ref _idleSince, idleSince);
        Rest(Held, null);
    }

    /// <summary>Called when the pool keeps the connection. It counts as idle since its last exchange.</summary>
    public void RestIn(UpstreamPool pool) => Rest(Pooled, pool);

    /// <summary>
    /// Takes the connection for an exchange. Returns false if it has ended, or has received bytes that no request asked for; then the caller closes it.
    /// </summary>
    /// <remarks>
    /// The connection is checked here, not only by the watch. Bytes that arrived before the request was sent would be taken for its response, and a request
    /// sent after the upstream's end would be lost (RFC 9112 §9.2, §9.3.1). The system is asked if it may know more than the watch, and always if the
    /// connection has been idle since an earlier heartbeat: upstreams close idle connections, not busy ones, and the watch knows only what the loop last saw.
    /// Bytes that arrive later cannot be told from a response.
    /// </remarks>
    public bool TryTake()
    {
        int state = Volatile.Read(ref _state);
        if (state is not (Held or Pooled) || Interlocked.CompareExchange(ref _state, InUse, state) != state)
        {
            return false;
        }

        Transport.Input.Unwatch();
        _pool = null;
        IsReused = true;
        Arrival arrival = Transport.Input.Look(asksSystem: _heartbeat.Now != IdleSince);
        switch (arrival)
        {
            case Arrival.Bytes:
                _metrics.UnsolicitedResponse();
                break;
            case Arrival.End:
                Learn();
                break;
        }

        return arrival is Arrival.Nothing;
    }

    public void OnPeerEnded() => EndIdle(byUpstream: true, isLater: false);

    public void OnUnexpectedBytes()
    {
        if (EndIdle())
        {
            _metrics.UnsolicitedResponse();
        }
    }

    /// <summary>Ends an idle connection. A connection in use is left to its user.</summary>
    /// <returns>Whether this call ended it.</returns>
    public bool EndIdle() => EndIdle(byUpstream: false, isLater: false);

    /// <summary>The same for the heartbeat. What is left to do is done on a thread of its queue: a host's pipe may take its time.</summary>
    public void EndIdleLater() => EndIdle(byUpstream: false, isLater: true);

    /// <summary>Called once by the <see cref="WakeQueue"/>, after <see cref="EndIdleLater"/>.</summary>
    void IThreadPoolWorkItem.Execute() => End();

    private bool EndIdle(bool byUpstream, bool isLater)
    {
        int ended = TryEnd(Settling) ? Settling : TryEnd(Held) ? Held : TryEnd(Pooled) ? Pooled : InUse;
        if (ended == InUse)
        {
            return false;
        }

        if (byUpstream)
        {
            Learn(); // before it is closed: a thread that sees the close also finds the idle time learned
        }

        if (ended == Settling)
        {
            return true; // its owner notices that in Rest
        }

        if (isLater)
        {
            _heartbeat.Wakes.Add(this);
        }
        else
        {
            End();
        }

        return true;
    }

    private bool TryEnd(int state) => Interlocked.CompareExchange(ref _state, Dead, state) == state;

    /// <summary>Records that the upstream has ended the connection. Called once, by the thread that noticed the end.</summary>
    private void Learn()
    {
        long now = _heartbeat.Now;
        _idleTimeout.Closed(now - IdleSince, now);
    }

    private void Rest(int state, UpstreamPool? pool)
    {
        Debug.Assert(_state == InUse, "It rests when its user is done with it.");
        _pool = pool;
        Volatile.Write(ref _state, Settling);
        Transport.Input.Watch(this, forBytes: true);
        if (Interlocked.CompareExchange(ref _state, state, Settling) != Settling)
        {
            Debug.Assert(IsDead, "Only an end comes between.");
            End();
        }
    }

    /// <summary>Completes the change to Dead. Called only by the thread that made this change, or on its behalf.</summary>
    private void End()
    {
        Debug.Assert(IsDead, "Only what has ended is ended.");
        if (_pool is { } pool)
        {
            pool.Forget(this);
            Transport.Close(reset: false);
        }
        else
        {
            // Its client closes it when it checks it next. Until then, nothing stays in CLOSE_WAIT.
            Transport.ShutdownOutput();
            Transport.Abort();
        }
    }
}
