using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>
/// Everything of a client connection that other threads may touch. These are the watch (the peer disconnected), the heartbeat (a wait took too long), the
/// drain, the abort, and the pump that sends a body beside the main loop. Of a connection's classes, only this one has volatile fields and interlocked
/// operations.
/// </summary>
/// <remarks>
/// One 64-bit word holds everything that can end an exchange, together with the number of that exchange:
/// <code>
///   63 ........ 24 | 23 ... 16 | 15 .... 8 | 7 .... 0
///   exchange number  flags       refusal     cut
///
///   cut       None → a reason; the first one is kept, for the life of the connection.
///   refusal   None → a reason; the first one is kept. Back to None when the exchange settles.
///   flags     set one by one, cleared when the exchange settles.
///   number    incremented when an exchange settles, or when its request is sent again.
/// </code>
/// The heartbeat passes the number of the exchange that it observed. If that exchange has settled since, the number in the word differs and nothing happens. An
/// exchange's relays return to their pool only after it has settled, so whatever the heartbeat reads from a relay cannot harm another exchange.
/// <para>
/// The deadline is one word too: the time, and the kind of wait. The heartbeat marks it as expired by compare-exchange. So a deadline expires at most once, and
/// a newer deadline is never mistaken for an older one.
/// </para>
/// <para>
/// The main loop is woken by cancelling every operation that it may be waiting for. A cancellation can arrive late and hit a later wait. So a loop whose wait
/// was cancelled checks the reasons here, and continues if there is none. A flush is cancelled only after a reason that ends the connection's exchanges.
/// </para>
/// <para>
/// Who wakes a loop runs what it does next, up to its next wait. The watch and the pump do that: they belong to the connection. The heartbeat, the drain and
/// the abort only decide. They serve all connections, and the woken exchange may run a host's code, which may block. What they find due is done on a thread of
/// the <see cref="WakeQueue"/>.
/// </para>
/// </remarks>
internal sealed class Interrupts : IConnectionWatch, IHeartbeatListener, IThreadPoolWorkItem
{
    private const int RefusalShift = 8;
    private const int FlagShift = 16;
    private const int NumberShift = 24;
    private const long NumberUnit = 1L << NumberShift;
    private const long CutMask = 0xFF;
    private const long StoppedFlag = 1L << FlagShift;
    private const long LastBytesFlag = 2L << FlagShift;
    private const long HalfReleasedFlag = 4L << FlagShift;
    private const long ContinueFlag = 8L << FlagShift;
    private const int WaitBits = 4;
    private const long FiredBit = 8;

    /// <summary>The services that all connections share.</summary>
    private readonly SharedServices _parts;

    /// <summary>The client's connection.</summary>
    private readonly Connection _client;

    /// <summary>
    /// Whether each beat must ask the client's connection whether its peer has ended. Copied here, so that a beat need not read the connection's own field.
    /// </summary>
    private readonly bool _mustAskForEnd;

    /// <summary>The word described in the remarks.</summary>
    private long _exchange;

    /// <summary>
    /// When the present wait expires, in milliseconds of the heartbeat, shifted left by <see cref="WaitBits"/>. The low bits hold the <see cref="Wait"/>, plus
    /// 8 once it has expired. 0 if there is no deadline.
    /// </summary>
    private long _deadline;

    /// <summary>The bytes that had reached the peer when a write's deadline began. Written before the deadline.</summary>
    private long _takenAtStart;

    /// <summary>No further exchange after the present one.</summary>
    private volatile bool _drains;

    /// <summary>The connection to the upstream, in use or kept; null if there is none. Written by the main loop, read by those that cancel its waits.</summary>
    private volatile UpstreamConnection? _upstream;

    /// <summary>The wait for something other than a peer, such as a credential or a verdict on a token; null if there is none.</summary>
    private volatile SlowPathWait? _slowPathWait;

    /// <summary>The relay of a request's body while the pump sends it.</summary>
    private volatile BodyRelay? _sending;

    /// <summary>The relay of a response's body while it is streamed.</summary>
    private volatile BodyRelay? _streaming;

    /// <summary>What the last beat saw. Used by the heartbeat only.</summary>
    private LastBeat _lastBeat;

    /// <summary>See <see cref="AnsweredBy"/>. Written by the main loop and the heartbeat.</summary>
    private long _answeredBy = long.MaxValue;

    /// <summary>What is due and not yet begun, as <see cref="Due"/>. While it is not 0, this is in the <see cref="WakeQueue"/>, once.</summary>
    private int _due;

    public Interrupts(SharedServices parts, Connection client)
    {
        _parts = parts;
        _client = client;
        _mustAskForEnd = client.Input.MustAskForEnd;
    }

    /// <summary>No further exchange after the present one: the proxy is stopping, or the host wants this connection back.</summary>
    public bool IsDraining => _drains || _parts.IsDraining;

    /// <summary>Why this connection's exchanges are ended early. The first cause is kept.</summary>
    public FaultReason CutReason => (FaultReason)(Volatile.Read(ref _exchange) & CutMask);

    public bool IsCut => CutReason is not FaultReason.None;

    /// <summary>Why the rest of the request's body is refused while it is being sent.</summary>
    public RefusalReason RefusedBody => (RefusalReason)(byte)(Volatile.Read(ref _exchange) >> RefusalShift);

    /// <summary>The pump must stop: the exchange was cut, the rest of its body was refused, or nothing needs the rest any more.</summary>
    public bool IsPumpStopped
    {
        get
        {
            long seen = Volatile.Read(ref _exchange);
            return (seen & (CutMask | StoppedFlag)) != 0;
        }
    }

    /// <summary>A wait of this exchange was cancelled, or may still be. The connections that it used carry no other exchange.</summary>
    public bool IsDisturbed => IsPumpStopped;

    /// <summary>The pump has read the whole request and is sending its last bytes.</summary>
    public bool IsAtLastBytes => (Volatile.Read(ref _exchange) & LastBytesFlag) != 0;

    /// <summary>The first of the two calls of <see cref="ReleaseHalf"/> has been made.</summary>
    public bool IsHalfReleased => (Volatile.Read(ref _exchange) & HalfReleasedFlag) != 0;

    /// <summary>This client's connection to the upstream, in use or kept.</summary>
    public UpstreamConnection? Upstream
    {
        get => _upstream;

        // Published before the caller reads the reasons again: the caller sees an earlier cut, and a later cut sees the connection.
        set => Interlocked.Exchange(ref _upstream, value);
    }

    /// <summary>
    /// Since when, in the heartbeat's time, the upstream may have finished its answer although the exchange goes on, because the exchange waits for the client
    /// to read, or for another credential. <see cref="long.MaxValue"/> if the exchange does not wait for these. Valid until the exchange settles, or its
    /// request is sent again.
    /// </summary>
    /// <remarks>
    /// A late heartbeat of the previous exchange may write the value last. Then it is too early, and at worst a connection is closed needlessly.
    /// </remarks>
    public long AnsweredBy => Volatile.Read(ref _answeredBy);

    /// <summary>The client closed its side, by FIN or reset. In MCP, a disconnect cancels the request.</summary>
    public void OnPeerEnded() => Cut(FaultReason.ClientGone);

    public void OnUnexpectedBytes()
    {
        // Ignored: a client may send its next request early.
    }

    /// <summary>Lets the present exchange finish and accepts no other.</summary>
    public void Drain()
    {
        _drains = true;
        Later(Due.ClientRead); // if it waits for anything but a request, the loop continues
    }

    /// <summary>Ends everything at once.</summary>
    public void Abort() => Later(TryCut(FaultReason.Stopped, exchange: null) | Due.ClientAbort);

    /// <summary>Ends everything because a beat has failed.</summary>
    public void FailBeat(Exception bug)
    {
        if (!IsCut)
        {
            _parts.Heartbeat.Wakes.Add(new FailedBeat(_parts.Logger, bug)); // once, as it is cut now
        }

        Later(TryCut(FaultReason.InternalError, exchange: null) | Due.ClientAbort);
    }

    /// <summary>Ends the exchange and the connection for an external reason. Wakes the main loop wherever it waits, on this thread.</summary>
    public void Cut(FaultReason reason) => Do(TryCut(reason, exchange: null));

    /// <summary>Refuses the rest of the request's body and wakes the main loop, which waits for the response, on this thread.</summary>
    public void RefuseBody(RefusalReason reason) => Do(TryRefuse(reason, exchange: null));

    /// <summary>Stops the pump. The exchange continues without the rest of the request.</summary>
    public void StopPump()
    {
        Set(StoppedFlag);
        _client.Input.CancelPendingRead();
        _upstream?.Transport.Output.CancelPendingFlush();
    }

    /// <summary>The pump calls this before it sends the last bytes: the response may arrive on another thread before the pump continues.</summary>
    public void SayLastBytes() => Set(LastBytesFlag);

    /// <summary>Called twice: by the pump or the main loop when the request has been sent, and when the response head has been forwarded.</summary>
    /// <returns>True for the second call, whose caller then releases the request's bytes.</returns>
    public bool ReleaseHalf() => !Set(HalfReleasedFlag);

    /// <summary>The client was told to send its body (100), or did not wait for that.</summary>
    public void SayContinue() => Set(ContinueFlag);

    /// <summary>Notes that from now on the exchange waits for something other than the upstream, which may have finished its answer.</summary>
    public void NoteAnswer() => Volatile.Write(ref _answeredBy, Math.Min(_answeredBy, _parts.Heartbeat.Now));

    /// <summary>
    /// Called before the request is sent again. What was noted about its first sending, and what the heartbeat saw of its pump, is no longer valid.
    /// </summary>
    public void BeginSending()
    {
        _sending = null; // the pump of the first sending has ended
        Volatile.Write(ref _answeredBy, long.MaxValue);
        BeginNumber(kept: (NumberUnit - 1) & ~(LastBytesFlag | HalfReleasedFlag));
    }

    /// <summary>Called when the exchange is over. What the heartbeat saw of it is no longer valid.</summary>
    public void Settle()
    {
        _sending = null;
        _streaming = null;
        Volatile.Write(ref _answeredBy, long.MaxValue);
        BeginNumber(kept: CutMask);
    }

    /// <summary>Starts the deadline of a wait that begins now.</summary>
    public void Await(Wait wait, TimeSpan limit)
    {
        Debug.Assert(wait is not Wait.None, "A deadline is for something.");
        if (wait is Wait.ClientWrite or Wait.UpstreamWrite)
        {
            _takenAtStart = TakenBy(wait);
        }

        Volatile.Write(ref _deadline, (_parts.Heartbeat.After(limit) << WaitBits) | (long)wait);
    }

    /// <summary>Removes the deadline, because the wait has ended.</summary>
    /// <returns>False if the deadline has passed.</returns>
    public bool StopWaiting()
    {
        long ended = Interlocked.Exchange(ref _deadline, 0);
        if ((ended & FiredBit) == 0)
        {
            return true;
        }

        Do(DueAfter(WaitOf(ended))); // the heartbeat may be about to do this too: doing it twice is harmless
        return false;
    }

    /// <summary>Whether the deadline of the present wait has passed.</summary>
    public bool HasTimedOut => (Volatile.Read(ref _deadline) & FiredBit) != 0;

    /// <summary>Removes the deadline so that another can be used. The result is for <see cref="Resume"/>.</summary>
    public long Suspend() => Interlocked.Exchange(ref _deadline, 0);

    /// <summary>Restores a suspended deadline. Its time has continued to run.</summary>
    public void Resume(long suspended) => Volatile.Write(ref _deadline, suspended);

    /// <summary>Starts a wait on something other than the peers. The client is watched during it.</summary>
    public SlowPathWait StartSlowPathWait()
    {
        var wait = new SlowPathWait(this, _parts.HookFaults);
        // Published before the reason is read: an earlier cut is seen here, and a later cut sees the wait.
        Interlocked.Exchange(ref _slowPathWait, wait);
        _client.Input.Watch(this, forBytes: false);
        if (IsCut)
        {
            wait.Cancel();
        }

        return wait;
    }

    /// <summary>Ends a slow-path wait.</summary>
    public void EndSlowPathWait() => _slowPathWait = null;

    /// <summary>From now on, the heartbeat monitors the pump.</summary>
    public void FollowPump(BodyRelay relay) => _sending = relay;

    /// <summary>From now on, the heartbeat monitors the stream.</summary>
    public void FollowStream(BodyRelay relay) => _streaming = relay;

    public void OnBeat(long nowMilliseconds)
    {
        long exchange = Volatile.Read(ref _exchange); // read before the relays: so what is seen of a relay belongs to this exchange, or is ignored
        CheckDeadline(nowMilliseconds);
        if (_sending is { } sending)
        {
            CheckPump(sending, exchange, nowMilliseconds);
        }

        if (_streaming is { } streaming)
        {
            CheckStream(streaming, exchange, nowMilliseconds);
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
        long seen = Volatile.Read(ref _deadline);
        if (seen == 0 || (seen & FiredBit) != 0 || now < seen >> WaitBits)
        {
            return;
        }

        Wait wait = WaitOf(seen);
        if (wait is Wait.ClientWrite or Wait.UpstreamWrite)
        {
            // A peer that takes some bytes in time is slow, not gone.
            long before = _lastBeat.PutOff.Deadline == seen ? _lastBeat.PutOff.Taken : Volatile.Read(ref _takenAtStart);
            long taken = TakenBy(wait);
            if (taken != before)
            {
                long later = ((now + (long)_parts.Limits.WriteTimeout.TotalMilliseconds) << WaitBits) | (long)wait;
                _lastBeat.PutOff = (later, taken);
                Interlocked.CompareExchange(ref _deadline, later, seen);
                return;
            }
        }

        // Compare-exchange: if the wait has ended meanwhile, or another has begun, the word differs and nothing happens.
        if (Interlocked.CompareExchange(ref _deadline, seen | FiredBit, seen) == seen)
        {
            Later(DueAfter(wait));
        }
    }

    /// <summary>Decides what an expired wait leads to. Safe to call twice.</summary>
    private Due DueAfter(Wait wait) => wait switch
    {
        Wait.Idle or Wait.Request => Due.ClientRead,
        Wait.Response or Wait.UpstreamWrite => TryCut(FaultReason.UpstreamResponseTimeout, exchange: null),
        Wait.ClientWrite => TryCut(FaultReason.ClientTooSlow, exchange: null),
        Wait.LastBytes => Due.UpstreamFlush,
        Wait.Linger => Due.ClientAbort,
        _ => throw new UnreachableException("Wait.None never expires."),
    };

    /// <summary>Checks that a request's body moves: the upstream must take it, and the client must send it, fast enough.</summary>
    private void CheckPump(BodyRelay relay, long exchange, long now)
    {
        RelayPhase phase = _lastBeat.Sending.Follow(exchange >> NumberShift, relay, now);
        if (phase is RelayPhase.Writing)
        {
            if (_upstream is { } upstream && _lastBeat.Sending.IsStuckWriting(upstream.Transport.Output, now, _parts.Limits.WriteTimeout))
            {
                Later(TryCut(FaultReason.UpstreamResponseTimeout, exchange));
            }

            return;
        }

        if (phase is RelayPhase.Resting)
        {
            return; // the pump has ended, although its exchange has not
        }

        if ((exchange & ContinueFlag) == 0 && relay.MovedBytes == 0)
        {
            _lastBeat.Sending.Restart(now); // the client waits for a 100, which is allowed; the upstream's response deadline applies instead
            return;
        }

        long silence = (long)_parts.Limits.BodyTimeout.TotalMilliseconds;
        bool isSilent = phase is RelayPhase.Reading && now - _lastBeat.Sending.Since > silence;
        if (isSilent || _lastBeat.Sending.IsBelow(relay, now, silence, _parts.Limits.MinBodyBytesPerSecond))
        {
            Later(TryRefuse(RefusalReason.BodyTooSlow, exchange));
        }
    }

    /// <summary>Checks that the client reads what is streamed to it. Only a write has a deadline: a stream may be silent for any time.</summary>
    private void CheckStream(BodyRelay relay, long exchange, long now)
    {
        RelayPhase phase = relay.Phase;
        if (phase is RelayPhase.Reading && AnsweredBy != long.MaxValue)
        {
            Volatile.Write(ref _answeredBy, long.MaxValue); // everything that came was forwarded and more is expected, so the upstream has not finished
        }

        if (phase is not RelayPhase.Writing)
        {
            return;
        }

        Volatile.Write(ref _answeredBy, Math.Min(AnsweredBy, now));
        if (_lastBeat.Streaming.Follow(exchange >> NumberShift, relay, now) is RelayPhase.Writing
            && _lastBeat.Streaming.IsStuckWriting(_client.Output, now, _parts.Limits.WriteTimeout))
        {
            Later(TryCut(FaultReason.ClientTooSlow, exchange));
        }
    }

    private long TakenBy(Wait wait) => wait is Wait.ClientWrite ? _client.Output.CountDelivered() : _upstream?.Transport.Output.CountDelivered() ?? 0;

    private static Wait WaitOf(long deadline) => (Wait)(deadline & (FiredBit - 1));

    /// <summary>Cuts, unless there is a reason already, or another exchange has begun.</summary>
    /// <returns>What is due for that. The word is set before the waits are looked at, and a wait that begins later reads the reason first.</returns>
    private Due TryCut(FaultReason reason, long? exchange)
    {
        Debug.Assert(reason is not FaultReason.None, "A cut has a reason.");
        Due clientIsLost = reason is FaultReason.UpstreamResponseTimeout ? Due.None : Due.ClientFlush;
        long seen = Volatile.Read(ref _exchange);
        do
        {
            if (IsAnother(seen, exchange))
            {
                return Due.None;
            }

            if ((seen & CutMask) != 0)
            {
                return clientIsLost; // the first cause may have let an answer be sent to the client, which will not read it
            }
        }
        while (!TryReplace(ref seen, seen | (long)reason));

        return Due.Waits | clientIsLost;
    }

    /// <summary>Refuses the rest of the body, unless that was done already, it was read completely, or another exchange has begun.</summary>
    /// <returns>What is due for that.</returns>
    private Due TryRefuse(RefusalReason reason, long? exchange)
    {
        Debug.Assert(reason is not RefusalReason.None, "A refusal has a reason.");
        long seen = Volatile.Read(ref _exchange);
        do
        {
            // A body that was read completely can no longer be refused: its response may be on the way.
            if (((seen >> RefusalShift) & 0xFF) != 0 || (seen & LastBytesFlag) != 0 || IsAnother(seen, exchange))
            {
                return Due.None;
            }
        }
        while (!TryReplace(ref seen, seen | ((long)reason << RefusalShift) | StoppedFlag));

        return Due.Waits;
    }

    /// <summary>Does what is due on a thread of the queue, where it may block.</summary>
    private void Later(Due due)
    {
        if (due is not Due.None && Interlocked.Or(ref _due, (int)due) == 0)
        {
            _parts.Heartbeat.Wakes.Add(this);
        }
    }

    /// <summary>Called by the <see cref="WakeQueue"/>. If more becomes due meanwhile, it is called again, perhaps at the same time.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            Do((Due)Interlocked.Exchange(ref _due, 0));
        }
        catch (Exception bug)
        {
            _parts.Logger.ConnectionNotTold(bug);
        }
    }

    /// <summary>Does what is due, on this thread. A loop that is not waiting now sees the cancellation at its next wait.</summary>
    private void Do(Due due)
    {
        if (due.HasFlag(Due.ClientAbort))
        {
            _client.Abort();
        }

        if (due.HasFlag(Due.SlowPath))
        {
            _slowPathWait?.Cancel();
        }

        if (due.HasFlag(Due.ClientRead))
        {
            _client.Input.CancelPendingRead();
        }

        if (due.HasFlag(Due.ClientFlush))
        {
            _client.Output.CancelPendingFlush();
        }

        if (due.HasFlag(Due.UpstreamFlush))
        {
            _upstream?.Transport.Output.CancelPendingFlush();
        }

        if (due.HasFlag(Due.UpstreamRead))
        {
            _upstream?.Transport.Input.CancelPendingRead();
        }

        if (due.HasFlag(Due.ClientEnd))
        {
            _client.Input.LookForEnd();
        }
    }

    /// <summary>Starts a new number: the heartbeat no longer acts on what it has seen before.</summary>
    /// <param name="kept">A mask of the bits below the number that keep their value.</param>
    private void BeginNumber(long kept)
    {
        long seen = Volatile.Read(ref _exchange);
        long next;
        do
        {
            next = unchecked((seen & ~(NumberUnit - 1)) + NumberUnit) | (seen & kept);
        }
        while (!TryReplace(ref seen, next));
    }

    private static bool IsAnother(long seen, long? exchange) => exchange is { } meant && seen >> NumberShift != meant >> NumberShift;

    private bool TryReplace(ref long seen, long next)
    {
        long found = Interlocked.CompareExchange(ref _exchange, next, seen);
        bool isDone = found == seen;
        seen = found;
        return isDone;
    }

    /// <summary>Sets a flag. Returns false if it was set already.</summary>
    private bool Set(long flag) => (Interlocked.Or(ref _exchange, flag) & flag) == 0;

    /// <summary>What the heartbeat remembers from beat to beat.</summary>
    private struct LastBeat
    {
        /// <summary>The pump's progress.</summary>
        public RelayProgress Sending;

        /// <summary>The stream's progress.</summary>
        public RelayProgress Streaming;

        /// <summary>A write's deadline that was extended, and the bytes that had reached the peer then.</summary>
        public (long Deadline, long Taken) PutOff;
    }

    /// <summary>Logs a beat that failed, where a logger may block.</summary>
    private sealed class FailedBeat(ILogger logger, Exception bug) : IThreadPoolWorkItem
    {
        public void Execute() => logger.DeadlinesNotSeen(bug);
    }
}
