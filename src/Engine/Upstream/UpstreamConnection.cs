using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Upstream;

/// <summary>One connection to the upstream: the transport, the state of its use, and when it was created and last used.</summary>
/// <remarks>
/// An idle connection is watched. Any byte or end that arrives then ends it. Otherwise a response that no request asked for would be taken for the response to
/// the next request (RFC 9112 §9.3, RFC 9110 §15).
/// <code>
///   InUse ──Hold──► Settling ──► Held ────┐
///     ▲  └──Rest──► Settling ──► Pooled ──┤──TryTake──► InUse
///     │                │          │       └──EndIdle──► Dead
///     └────────────────┼──────────┘
///                      └──the watch, an end──► Dead
/// </code>
/// States change by compare-exchange, so only one of the watch, the heartbeat and the code that takes the connection succeeds. In Settling, the owner is
/// setting the watch. An end that comes then only changes the state to Dead; the owner finds that and ends the connection. The thread that changes Pooled to
/// Dead closes the connection. The thread that changes Held to Dead only aborts it; the client's code that holds it closes it.
/// </remarks>
internal sealed class UpstreamConnection : IConnectionWatch, IThreadPoolWorkItem
{
    private const int InUse = 0;
    private const int Settling = 1;
    private const int Held = 2;
    private const int Pooled = 3;
    private const int Dead = 4;

    /// <summary>The value for "the upstream has not sent how long it keeps idle connections".</summary>
    public const long NotSaid = -1;

    private readonly Heartbeat _heartbeat;
    private readonly ProxyMetrics _metrics;

    /// <summary>
    /// The pool's estimate of how long the upstream keeps idle connections. It learns from the end of this connection if that comes while the connection is
    /// idle. Never changes.
    /// </summary>
    private readonly IdleTimeoutEstimate _idleTimeout;

    /// <summary>One of the states above.</summary>
    private int _state;

    /// <summary>The pool that the connection is kept in; null if it is kept for one client. Valid in every state except InUse.</summary>
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

    /// <summary>The transport. Only for the code that has created or taken the connection.</summary>
    public Connection Transport { get; }

    /// <summary>When the connection was created, in the heartbeat's time.</summary>
    public long MadeAt { get; }

    /// <summary>
    /// When the last exchange on the connection ended, or when it was created; in the heartbeat's time. During an exchange, the value is that of the exchange
    /// before.
    /// </summary>
    public long IdleSince => Volatile.Read(ref _idleSince);

    /// <summary>
    /// How long the connection may be idle, in milliseconds: the time that the upstream has sent in <c>Keep-Alive</c>, minus a margin. <see cref="NotSaid"/> if
    /// it has sent none.
    /// </summary>
    public long KeptFor => Volatile.Read(ref _keptFor);

    /// <summary>Whether the connection was idle before its present use. Then the upstream may close it just when a request is sent.</summary>
    public bool IsReused { get; private set; }

    public bool IsIdle => Volatile.Read(ref _state) is Held or Pooled;

    /// <summary>Whether the connection ended while it was idle. Never becomes false again.</summary>
    public bool IsDead => Volatile.Read(ref _state) is Dead;

    /// <summary>Records how long the upstream keeps the connection idle, as its response says. Only for the code that uses the connection.</summary>
    public void KeepFor(int seconds)
    {
        Debug.Assert(seconds >= 0 && !IsIdle, "An answer has said it, so the connection is in use.");
        Volatile.Write(ref _keptFor, IdleTimeoutEstimate.WithMargin(seconds * 1000L));
    }

    /// <summary>Called when an exchange has ended, and the connection is kept for the same client's next exchange.</summary>
    /// <param name="idleSince">
    /// When the connection became idle, in the heartbeat's time. This is now, or the end of the upstream's last response if the exchange waited for something
    /// else after it.
    /// </param>
    public void Hold(long idleSince)
    {
        Volatile.Write(ref _idleSince, idleSince);
        Rest(Held, null);
    }

    /// <summary>Called when the connection is kept in the pool. Its idle time counts from the end of its last exchange.</summary>
    public void RestIn(UpstreamPool pool) => Rest(Pooled, pool);

    /// <summary>
    /// Takes the connection for an exchange. Returns false if it has ended, or has received bytes that no request asked for; then the caller closes it.
    /// </summary>
    /// <remarks>
    /// The watch alone is not enough, so the connection is checked here too. Bytes that arrived before the request was sent would be taken for its response,
    /// and a request sent after the upstream's end would be lost (RFC 9112 §9.2, §9.3.1). The watch knows only what the event loop has seen so far. So if the
    /// connection has been idle since an earlier heartbeat, the system is always asked. A connection that was busy since the last heartbeat is unlikely to have
    /// been closed, so for it the system is asked only if it may know more than the watch. Bytes that arrive after this check cannot be told from a response.
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

    /// <summary>Ends the connection if it is idle. If it is in use, does nothing.</summary>
    /// <returns>Whether this call ended it.</returns>
    public bool EndIdle() => EndIdle(byUpstream: false, isLater: false);

    /// <summary>
    /// Like <see cref="EndIdle()"/>, but for the heartbeat: the connection is closed later, on a thread of the <see cref="WakeQueue"/>, because the code of a
    /// host program's pipe may block.
    /// </summary>
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
            Learn(); // before it is closed: a thread that sees the close also sees what was learned from it
        }

        if (ended == Settling)
        {
            return true; // the owner is in Rest, finds the state Dead there and ends the connection
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

    /// <summary>
    /// Tells <c>_idleTimeout</c> after which idle time the upstream has ended the connection. Called once, by the thread that noticed the end.
    /// </summary>
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

    /// <summary>
    /// Closes or aborts the connection after its state has become Dead. Called once: by the thread that changed the state, or in its place by the owner or the
    /// <see cref="WakeQueue"/>.
    /// </summary>
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
            // A client connection still holds this connection, and closes it when it wants to use it next. Until then the socket must not stay in CLOSE_WAIT.
            Transport.ShutdownOutput();
            Transport.Abort();
        }
    }
}
