using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>
/// The state of a client connection that threads other than its main loop may touch. They do so for the watch (the peer disconnected), the heartbeat (a wait
/// took too long), the drain, the abort, and the pump that sends a body beside the main loop. Of a connection's classes, only this one and its parts have
/// volatile fields and interlocked operations.
/// </summary>
/// <remarks>
/// <see cref="ExchangeWord"/> holds what can end the exchange. <see cref="WaitDeadline"/> holds the time by which the present wait must end. When a reason is
/// set or the deadline expires, <see cref="DueWork"/> wakes the main loop. <see cref="RelayMonitor"/> checks on each beat that bodies are sent fast enough.
/// </remarks>
internal sealed class Interrupts : IConnectionWatch, IHeartbeatListener, IThreadPoolWorkItem
{
    /// <summary>The services that all connections share.</summary>
    private readonly SharedServices _parts;

    /// <summary>The client's connection.</summary>
    private readonly Connection _client;

    /// <summary>
    /// Whether each beat must ask the client's connection whether its peer has ended. Copied here, so that a beat need not read the connection's own field.
    /// </summary>
    private readonly bool _mustAskForEnd;

    /// <summary>The number of the present exchange, and everything that can end it.</summary>
    private ExchangeWord _exchange;

    /// <summary>The deadline of the present wait.</summary>
    private WaitDeadline _deadline;

    /// <summary>Checks the progress of <see cref="_sending"/> and <see cref="_streaming"/> on each beat. Used by the heartbeat only.</summary>
    private RelayMonitor _monitor;

    /// <summary>What is due and left to another thread: waits to cancel, or the connection to end.</summary>
    private DueWork _work;

    /// <summary>The present exchange is this connection's last one.</summary>
    private volatile bool _drains;

    /// <summary>
    /// The connection to the upstream, in use or kept; null if there is none. Written by the main loop, read by threads that cancel its waits.
    /// </summary>
    private volatile UpstreamConnection? _upstream;

    /// <summary>The wait for something other than a peer, such as a credential or a verdict on a token; null if there is none.</summary>
    private volatile SlowPathWait? _slowPathWait;

    /// <summary>The relay of a request's body. Set when the pump starts, null again when the exchange settles or its request is sent again.</summary>
    private volatile BodyRelay? _sending;

    /// <summary>The relay of a response's body. Set when the response is streamed, null again when the exchange settles.</summary>
    private volatile BodyRelay? _streaming;

    /// <summary>See <see cref="AnsweredBy"/>. Written by the main loop and the heartbeat.</summary>
    private long _answeredBy = long.MaxValue;

    public Interrupts(SharedServices parts, Connection client)
    {
        _parts = parts;
        _client = client;
        _mustAskForEnd = client.Input.MustAskForEnd;
    }

    /// <summary>The present exchange is the last one: the proxy is stopping, or the host program wants this connection back.</summary>
    public bool IsDraining => _drains || _parts.IsDraining;

    /// <summary>Why this connection's exchanges are ended early; None if they are not. The first reason is kept.</summary>
    public FaultReason CutReason => _exchange.CutReason;

    public bool IsCut => CutReason is not FaultReason.None;

    /// <summary>Why the rest of the request's body is refused while it is being sent; None if it is not.</summary>
    public RefusalReason RefusedBody => _exchange.RefusedBody;

    /// <summary>The pump must stop: the exchange was cut, the rest of its body was refused, or nothing needs the rest any more.</summary>
    public bool IsPumpStopped => _exchange.IsPumpStopped;

    /// <summary>A wait of this exchange was cancelled, or a late cancellation may still hit one. So its connections carry no other exchange.</summary>
    public bool IsDisturbed => IsPumpStopped;

    /// <summary>The pump has read the whole request and is sending its last bytes.</summary>
    public bool IsAtLastBytes => _exchange.IsAtLastBytes;

    /// <summary>The first of the two calls of <see cref="ReleaseHalf"/> has been made.</summary>
    public bool IsHalfReleased => _exchange.IsHalfReleased;

    /// <summary>This client's connection to the upstream, in use or kept; null if there is none.</summary>
    public UpstreamConnection? Upstream
    {
        get => _upstream;

        // This write is a full fence, and the caller checks afterwards whether the exchange was cut. So either the caller sees the cut, or the thread that cuts
        // sees the connection.
        set => Interlocked.Exchange(ref _upstream, value);
    }

    /// <summary>
    /// When the upstream may have finished its answer, and so may have begun to count its connection as idle. In the heartbeat's time. Set while the exchange
    /// waits for the client to read, or for another credential; otherwise <see cref="long.MaxValue"/>. Valid until the exchange settles, or its request is sent
    /// again.
    /// </summary>
    /// <remarks>
    /// A heartbeat that still observes the previous exchange may write this last. Then the time is too early, and at worst a connection is closed needlessly.
    /// </remarks>
    public long AnsweredBy => Volatile.Read(ref _answeredBy);

    /// <summary>The client closed its side, by FIN or reset. In MCP, a disconnect cancels the request.</summary>
    public void OnPeerEnded() => Cut(FaultReason.ClientGone);

    public void OnUnexpectedBytes()
    {
        // Ignored: a client may send its next request early.
    }

    /// <summary>Lets the present exchange finish. The connection serves no further one.</summary>
    public void Drain()
    {
        _drains = true;
        Later(Due.ClientRead); // ends a loop that waits for a request, or lingers; any other wait is repeated
    }

    /// <summary>Cuts the exchange and aborts the client's connection.</summary>
    public void Abort() => Later(_exchange.TryCut(FaultReason.Stopped, exchange: null) | Due.ClientAbort);

    /// <summary>Like <see cref="Abort"/>, because the connection's beat has thrown an exception.</summary>
    public void FailBeat(Exception bug)
    {
        if (!IsCut)
        {
            _parts.Heartbeat.Wakes.Add(new FailedBeat(_parts.Logger, bug)); // logged once: the connection is cut below
        }

        Later(_exchange.TryCut(FaultReason.InternalError, exchange: null) | Due.ClientAbort);
    }

    /// <summary>Ends the exchange and the connection for an external reason. The main loop is woken wherever it waits, and continues on this thread.</summary>
    public void Cut(FaultReason reason) => Do(_exchange.TryCut(reason, exchange: null));

    /// <summary>Refuses the rest of the request's body. The main loop, which waits for the response, is woken and continues on this thread.</summary>
    public void RefuseBody(RefusalReason reason) => Do(_exchange.TryRefuse(reason, exchange: null));

    /// <summary>
    /// Like <see cref="Cut"/>, for the heartbeat: does nothing if the observed exchange has settled. Another thread wakes the exchange's loop.
    /// </summary>
    public void CutLater(FaultReason reason, long exchange) => Later(_exchange.TryCut(reason, exchange));

    /// <summary>
    /// Like <see cref="RefuseBody"/>, for the heartbeat: does nothing if the observed exchange has settled. Another thread wakes the exchange's loop.
    /// </summary>
    public void RefuseBodyLater(RefusalReason reason, long exchange) => Later(_exchange.TryRefuse(reason, exchange));

    /// <summary>Stops the pump. The exchange continues without the rest of the request.</summary>
    public void StopPump()
    {
        _exchange.SetStopped();
        _client.Input.CancelPendingRead();
        _upstream?.Transport.Output.CancelPendingFlush();
    }

    /// <summary>The pump calls this before it sends the last bytes: the response may arrive on another thread before the pump continues.</summary>
    public void SayLastBytes() => _exchange.SetLastBytes();

    /// <summary>
    /// Called twice: by the pump or the main loop when the request has been sent, and by the main loop when the response head has been forwarded.
    /// </summary>
    /// <returns>True for the second call, whose caller then releases the request's bytes.</returns>
    public bool ReleaseHalf() => !_exchange.SetHalfReleased();

    /// <summary>Notes that the client was told to send its body (100), or did not wait for that.</summary>
    public void SayContinue() => _exchange.SetContinued();

    /// <summary>Notes that from now on the exchange waits for something other than the upstream, which may have finished its answer.</summary>
    public void NoteAnswer() => NoteAnswer(_parts.Heartbeat.Now);

    /// <inheritdoc cref="NoteAnswer()"/>
    public void NoteAnswer(long now) => Volatile.Write(ref _answeredBy, Math.Min(AnsweredBy, now));

    /// <summary>Notes that the exchange waits for the upstream, which has not finished its answer.</summary>
    public void ForgetAnswer() => Volatile.Write(ref _answeredBy, long.MaxValue);

    /// <summary>Called before the request is sent again. Forgets what was noted about its last sending and about its pump.</summary>
    public void BeginSending()
    {
        _sending = null; // its pump has ended
        ForgetAnswer();
        _exchange.BeginSending();
    }

    /// <summary>Called when the exchange is over. Forgets what was noted about the exchange, so that the heartbeat no longer checks it.</summary>
    public void Settle()
    {
        _sending = null;
        _streaming = null;
        ForgetAnswer();
        _exchange.Settle();
    }

    /// <summary>Starts the deadline of a wait that begins now.</summary>
    public void Await(Wait wait, TimeSpan limit) => _deadline.Start(wait, _parts.Heartbeat.After(limit), CountDelivered(wait));

    /// <summary>Removes the deadline, because the wait has ended.</summary>
    /// <returns>False if the deadline has expired.</returns>
    public bool StopWaiting()
    {
        Wait expired = _deadline.Stop();
        if (expired is Wait.None)
        {
            return true;
        }

        Do(DueAfter(expired)); // the heartbeat may be about to do this too: doing it twice is harmless
        return false;
    }

    /// <summary>Whether the deadline of the present wait has expired.</summary>
    public bool HasTimedOut => _deadline.HasExpired;

    /// <summary>Removes the deadline, so that another wait can have one meanwhile. The result is for <see cref="Resume"/>.</summary>
    public long Suspend() => _deadline.Suspend();

    /// <summary>Restores a suspended deadline. Its time has continued to run.</summary>
    public void Resume(long suspended) => _deadline.Resume(suspended);

    /// <summary>Starts a wait for something other than the peers. If the client disconnects meanwhile, the wait is cancelled.</summary>
    public SlowPathWait StartSlowPathWait()
    {
        var wait = new SlowPathWait(this, _parts.HookFaults);
        // This write is a full fence, and the reason is read afterwards. So either this method sees the cut, or the thread that cuts sees the wait.
        Interlocked.Exchange(ref _slowPathWait, wait);
        _client.Input.Watch(this, forBytes: false);
        if (IsCut)
        {
            wait.Cancel();
        }

        return wait;
    }

    /// <summary>The wait for something other than a peer; null if there is none.</summary>
    public SlowPathWait? SlowPathWait => _slowPathWait;

    /// <summary>Ends a slow-path wait.</summary>
    public void EndSlowPathWait() => _slowPathWait = null;

    /// <summary>From now on, the heartbeat checks the progress of the request's body.</summary>
    public void FollowPump(BodyRelay relay) => _sending = relay;

    /// <summary>From now on, the heartbeat checks the progress of the streamed response.</summary>
    public void FollowStream(BodyRelay relay) => _streaming = relay;

    /// <summary>Called by the <see cref="WakeQueue"/>.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            _work.DoNow(this, _client);
        }
        catch (Exception bug)
        {
            _parts.Logger.ConnectionNotTold(bug);
        }
    }

    public void OnBeat(long nowMilliseconds)
    {
        long exchange = _exchange.Value; // read before the relays: if another exchange has begun since, the numbers differ, and a decision has no effect
        CheckDeadline(nowMilliseconds);
        if (_sending is { } sending)
        {
            _monitor.CheckPump(this, _parts.Limits, sending, exchange, nowMilliseconds);
        }

        if (_streaming is { } streaming)
        {
            _monitor.CheckStream(this, _client, _parts.Limits.WriteTimeout, streaming, exchange, nowMilliseconds);
        }

        if (_mustAskForEnd && _client.Input.MayHideEnd)
        {
            Later(Due.ClientEnd);
        }

        if (_upstream is { IsIdle: true } upstream && _parts.Pool.IsStale(upstream, nowMilliseconds))
        {
            upstream.EndIdleLater();
        }
    }

    private void CheckDeadline(long now)
    {
        if (!_deadline.IsOver(now, out long seen))
        {
            return;
        }

        Wait wait = WaitDeadline.WaitOf(seen);
        if (WaitDeadline.IsWrite(wait) && _deadline.ExtendIfMoving(seen, CountDelivered(wait), now + (long)_parts.Limits.WriteTimeout.TotalMilliseconds))
        {
            return; // a peer that reads some bytes in time is slow, not gone
        }

        if (_deadline.TryExpire(seen))
        {
            Later(DueAfter(wait));
        }
    }

    /// <summary>Returns what is due after a wait has expired, and sets the reason of a cut if the wait leads to one. Safe to call twice.</summary>
    private Due DueAfter(Wait wait) => wait switch
    {
        Wait.Idle or Wait.Request => Due.ClientRead,
        Wait.Response or Wait.UpstreamWrite => _exchange.TryCut(FaultReason.UpstreamResponseTimeout, exchange: null),
        Wait.ClientWrite => _exchange.TryCut(FaultReason.ClientTooSlow, exchange: null),
        Wait.LastBytes => Due.UpstreamFlush,
        Wait.Linger => Due.ClientAbort,
        _ => throw new UnreachableException("Wait.None never expires."),
    };

    /// <summary>If the wait is for a peer to read: the number of bytes that have reached it. 0 for any other wait.</summary>
    private long CountDelivered(Wait wait) => wait switch
    {
        Wait.ClientWrite => _client.Output.CountDelivered(),
        Wait.UpstreamWrite => _upstream?.Transport.Output.CountDelivered() ?? 0,
        _ => 0,
    };

    /// <summary>Logs the exception of a beat on a thread of the <see cref="WakeQueue"/>: a host program's logger may block.</summary>
    private sealed class FailedBeat(ILogger logger, Exception bug) : IThreadPoolWorkItem
    {
        public void Execute() => logger.DeadlinesNotSeen(bug);
    }

    private void Later(Due due) => _work.Later(due, this, _parts.Heartbeat.Wakes);

    private void Do(Due due) => DueWork.Do(due, this, _client);
}
