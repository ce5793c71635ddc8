using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;

namespace McpProxyFast.Serving;

/// <summary>
/// Everything of a client connection that another thread may touch: the watch (the peer went away), the heartbeat (a wait took too long), the drain,
/// the abort, and the pump that sends a body beside the main loop. Of a connection's classes only this one has volatile fields and interlocked operations.
/// </summary>
/// <remarks>
/// One word holds what can end an exchange, with the number of the exchange that it is about:
/// <code>
///   63 ........ 24 | 23 ... 16 | 15 .... 8 | 7 .... 0
///   exchange number  flags       refusal     cut
///
///   cut       None → a reason; the first counts. Stays for the life of the connection.
///   refusal   None → a reason; the first counts. Back to None when the exchange has settled.
///   flags     set one by one, cleared when the exchange has settled.
///   number    one more each time an exchange has settled, or its request is sent again.
/// </code>
/// The heartbeat acts on what it saw of one exchange, and gives the number along: once that exchange has settled, the word has another number and nothing
/// happens. An exchange's relays go back to their pool only after it has settled, so nothing that the heartbeat reads of a relay can harm another exchange.
/// <para>
/// The deadline is one word too: when it ends, and what for. The heartbeat takes it by compare-exchange, so it is told once, and never a later one in its
/// place.
/// </para>
/// <para>
/// To wake the main loop is to cancel what it may be waiting for. A cancellation can come late and find another wait: so each loop that finds its wait
/// cancelled looks at the reasons here, and goes on where there is none. Only after a reason that ends the connection's exchanges is a flush cancelled.
/// </para>
/// </remarks>
internal sealed class Interrupts : IConnectionWatch, IHeartbeatListener
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

    /// <summary>What all connections share.</summary>
    private readonly ServingParts _parts;

    /// <summary>The client's connection.</summary>
    private readonly Connection _client;

    /// <summary>The word of the remarks.</summary>
    private long _exchange;

    /// <summary>
    /// When the present wait is over, in milliseconds of the heartbeat, shifted by <see cref="WaitBits"/>; below it the <see cref="Wait"/>, plus 8 once it is
    /// over. 0: none.
    /// </summary>
    private long _deadline;

    /// <summary>What had reached the peer when a write's deadline began. Written before the deadline is.</summary>
    private long _takenAtStart;

    /// <summary>No exchange after the present one.</summary>
    private volatile bool _drains;

    /// <summary>The connection to the upstream, in use or kept; null where there is none. Set by the main loop, read by those that cancel its waits.</summary>
    private volatile UpstreamConnection? _upstream;

    /// <summary>A wait on neither peer; null but while there is one.</summary>
    private volatile ColdWait? _coldWait;

    /// <summary>The relay of a request's body while it is pumped.</summary>
    private volatile BodyRelay? _sending;

    /// <summary>The relay of a response's body while it is streamed.</summary>
    private volatile BodyRelay? _streaming;

    /// <summary>How far the pump was at the last beat. The heartbeat's own.</summary>
    private RelayProgress _sendingProgress;

    /// <summary>How far the stream was at the last beat. The heartbeat's own.</summary>
    private RelayProgress _streamingProgress;

    /// <summary>A write's deadline that was put off, and what had reached the peer then. The heartbeat's own.</summary>
    private (long Deadline, long Taken) _putOff;

    public Interrupts(ServingParts parts, Connection client)
    {
        _parts = parts;
        _client = client;
    }

    /// <summary>No exchange after the present one: the proxy is stopped, or the host wants this connection back.</summary>
    public bool IsDraining => _drains || _parts.IsDraining;

    /// <summary>Why the exchanges of this connection end before their time; the first cause counts.</summary>
    public FaultReason CutReason => (FaultReason)(Volatile.Read(ref _exchange) & CutMask);

    public bool IsCut => CutReason is not FaultReason.None;

    /// <summary>Why the rest of the request's body is refused while it is sent.</summary>
    public RefusalReason RefusedBody => (RefusalReason)(byte)(Volatile.Read(ref _exchange) >> RefusalShift);

    /// <summary>The pump is to stop: the exchange was cut, the rest of its body refused, or nobody waits for it any longer.</summary>
    public bool IsPumpStopped
    {
        get
        {
            long seen = Volatile.Read(ref _exchange);
            return (seen & (CutMask | StoppedFlag)) != 0;
        }
    }

    /// <summary>A wait of this exchange was cancelled, or may still be: no connection that it used carries another.</summary>
    public bool IsDisturbed => IsPumpStopped;

    /// <summary>The pump has read the whole request; the last bytes are leaving.</summary>
    public bool IsAtLastBytes => (Volatile.Read(ref _exchange) & LastBytesFlag) != 0;

    /// <summary>One half of what <see cref="ReleaseHalf"/> waits for has come.</summary>
    public bool IsHalfReleased => (Volatile.Read(ref _exchange) & HalfReleasedFlag) != 0;

    /// <summary>The connection to the upstream that this client has, in use or kept.</summary>
    public UpstreamConnection? Upstream
    {
        get => _upstream;

        // Published before the caller reads the reasons again: a cut that came earlier is seen there, a later one sees the connection.
        set => Interlocked.Exchange(ref _upstream, value);
    }

    /// <summary>The client's end, as a FIN or a reset: for MCP a disconnect is the cancellation.</summary>
    public void OnPeerEnded() => Cut(FaultReason.ClientGone);

    public void OnUnexpectedBytes()
    {
        // Not watched for: a client may send its next request early.
    }

    /// <summary>Lets the present exchange finish and takes no other.</summary>
    public void Drain()
    {
        _drains = true;
        _client.Input.CancelPendingRead(); // in any other wait than that for a request, the loop goes on
    }

    /// <summary>Ends everything now.</summary>
    public void Abort()
    {
        Cut(FaultReason.Stopped);
        _client.Abort();
    }

    /// <summary>Ends the exchange, and with it the connection, for a reason from outside, and wakes the main loop wherever it waits.</summary>
    public void Cut(FaultReason reason) => TryCut(reason, exchange: null);

    /// <summary>Refuses the rest of the request's body and wakes the main loop, which waits for the answer.</summary>
    public void RefuseBody(RefusalReason reason) => TryRefuse(reason, exchange: null);

    /// <summary>Stops the pump: the exchange goes on without the rest of the request.</summary>
    public void StopPump()
    {
        Set(StoppedFlag);
        _client.Input.CancelPendingRead();
        _upstream?.Transport.Output.CancelPendingFlush();
    }

    /// <summary>Said by the pump before the last bytes leave: the answer may come on another thread before the pump goes on.</summary>
    public void SayLastBytes() => Set(LastBytesFlag);

    /// <summary>Called once when the request has been sent whole, by the pump or the main loop, and once when the response head has been forwarded.</summary>
    /// <returns>True for the second call: it lets go of the request's bytes.</returns>
    public bool ReleaseHalf() => !Set(HalfReleasedFlag);

    /// <summary>The client has been told to go on with its body (100), or did not wait for it.</summary>
    public void SayContinue() => Set(ContinueFlag);

    /// <summary>The request is sent once more: what was said of its first sending, and what the heartbeat has seen of its pump, hold no longer.</summary>
    public void BeginSending()
    {
        _sending = null; // the pump of the first sending is over
        BeginNumber(kept: (NumberUnit - 1) & ~(LastBytesFlag | HalfReleasedFlag));
    }

    /// <summary>The exchange is over. What the heartbeat has seen of it counts no longer.</summary>
    public void Settle()
    {
        _sending = null;
        _streaming = null;
        BeginNumber(kept: CutMask);
    }

    /// <summary>Starts a deadline for the wait that begins now.</summary>
    public void Await(Wait wait, TimeSpan limit)
    {
        Debug.Assert(wait is not Wait.None, "A deadline is for something.");
        if (wait is Wait.ClientWrite or Wait.UpstreamWrite)
        {
            _takenAtStart = TakenBy(wait);
        }

        Volatile.Write(ref _deadline, (_parts.Heartbeat.After(limit) << WaitBits) | (long)wait);
    }

    /// <summary>Ends the deadline.</summary>
    /// <returns>False where it has passed.</returns>
    public bool StopWaiting()
    {
        long ended = Interlocked.Exchange(ref _deadline, 0);
        if ((ended & FiredBit) == 0)
        {
            return true;
        }

        Act(WaitOf(ended)); // the heartbeat may be about to: once counts
        return false;
    }

    /// <summary>Whether the deadline of the present wait has passed.</summary>
    public bool HasTimedOut => (Volatile.Read(ref _deadline) & FiredBit) != 0;

    /// <summary>Takes the deadline away for another; to be given to <see cref="Resume"/>.</summary>
    public long Suspend() => Interlocked.Exchange(ref _deadline, 0);

    /// <summary>Goes on with a deadline that was suspended: its time has gone on meanwhile.</summary>
    public void Resume(long suspended) => Volatile.Write(ref _deadline, suspended);

    /// <summary>Starts a wait on something other than the peers. The client is watched meanwhile.</summary>
    public ColdWait StartColdWait()
    {
        var wait = new ColdWait(this, _parts.HookFaults);
        Interlocked.Exchange(ref _coldWait, wait); // published before the reason is read: a cut that came earlier is seen here, a later one sees the wait
        _client.Input.Watch(this, forBytes: false);
        if (IsCut)
        {
            wait.Cancel();
        }

        return wait;
    }

    /// <summary>Ends a cold wait.</summary>
    public void EndColdWait() => _coldWait = null;

    /// <summary>The heartbeat looks after the pump from now on.</summary>
    public void FollowPump(BodyRelay relay) => _sending = relay;

    /// <summary>The heartbeat looks after the stream from now on.</summary>
    public void FollowStream(BodyRelay relay) => _streaming = relay;

    public void OnBeat(long nowMilliseconds)
    {
        long exchange = Volatile.Read(ref _exchange); // before the relays: what is seen of them is of this exchange, or of none
        CheckDeadline(nowMilliseconds);
        if (_sending is { } sending)
        {
            CheckPump(sending, exchange, nowMilliseconds);
        }

        if (_streaming is { } streaming)
        {
            RelayPhase phase = _streamingProgress.Follow(exchange >> NumberShift, streaming, nowMilliseconds);
            if (phase is RelayPhase.Writing && _streamingProgress.IsStuckWriting(_client.Output, nowMilliseconds, _parts.Limits.WriteTimeout))
            {
                TryCut(FaultReason.ClientTooSlow, exchange);
            }
        }

        _client.Input.LookForEnd();
        if (_upstream is { IsIdle: true } upstream && _parts.Pool.IsStale(upstream, nowMilliseconds))
        {
            upstream.EndIdle();
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
            // Who takes some bytes within the time is slow, not gone.
            long before = _putOff.Deadline == seen ? _putOff.Taken : Volatile.Read(ref _takenAtStart);
            long taken = TakenBy(wait);
            if (taken != before)
            {
                long later = ((now + (long)_parts.Limits.WriteTimeout.TotalMilliseconds) << WaitBits) | (long)wait;
                _putOff = (later, taken);
                Interlocked.CompareExchange(ref _deadline, later, seen);
                return;
            }
        }

        // By exchange: where the wait has ended meanwhile, or another has begun, this finds another word.
        if (Interlocked.CompareExchange(ref _deadline, seen | FiredBit, seen) == seen)
        {
            Act(wait);
        }
    }

    /// <summary>Does what the end of a wait asks for. Twice does no harm.</summary>
    private void Act(Wait wait)
    {
        switch (wait)
        {
            case Wait.Idle or Wait.Request:
                _client.Input.CancelPendingRead();
                break;
            case Wait.Response or Wait.UpstreamWrite:
                Cut(FaultReason.UpstreamResponseTimeout);
                break;
            case Wait.ClientWrite:
                Cut(FaultReason.ClientTooSlow);
                break;
            case Wait.LastBytes:
                _upstream?.Transport.Output.CancelPendingFlush();
                break;
            case Wait.Linger:
                _client.Abort();
                break;
            default:
                throw new UnreachableException("A wait that is none has no end.");
        }
    }

    /// <summary>A request's body must move: the upstream takes it, and the client sends it, fast enough.</summary>
    private void CheckPump(BodyRelay relay, long exchange, long now)
    {
        RelayPhase phase = _sendingProgress.Follow(exchange >> NumberShift, relay, now);
        if (phase is RelayPhase.Writing)
        {
            if (_upstream is { } upstream && _sendingProgress.IsStuckWriting(upstream.Transport.Output, now, _parts.Limits.WriteTimeout))
            {
                TryCut(FaultReason.UpstreamResponseTimeout, exchange);
            }

            return;
        }

        if (phase is RelayPhase.Resting)
        {
            return; // the pump is over, though its exchange is not
        }

        if ((exchange & ContinueFlag) == 0 && relay.MovedBytes == 0)
        {
            _sendingProgress.Restart(now); // it waits for a 100, as it may: the time for the upstream's answer runs instead
            return;
        }

        long silence = (long)_parts.Limits.BodyTimeout.TotalMilliseconds;
        bool isSilent = phase is RelayPhase.Reading && now - _sendingProgress.Since > silence;
        if (isSilent || _sendingProgress.IsBelow(relay, now, silence, _parts.Limits.MinBodyBytesPerSecond))
        {
            TryRefuse(RefusalReason.BodyTooSlow, exchange);
        }
    }

    private long TakenBy(Wait wait) => wait is Wait.ClientWrite ? _client.Output.CountDelivered() : _upstream?.Transport.Output.CountDelivered() ?? 0;

    private static Wait WaitOf(long deadline) => (Wait)(deadline & (FiredBit - 1));

    private void TryCut(FaultReason reason, long? exchange)
    {
        Debug.Assert(reason is not FaultReason.None, "A cut has a reason.");
        long seen = Volatile.Read(ref _exchange);
        do
        {
            if (IsAnother(seen, exchange))
            {
                return;
            }

            if ((seen & CutMask) != 0)
            {
                if (reason is not FaultReason.UpstreamResponseTimeout)
                {
                    _client.Output.CancelPendingFlush(); // the first cause may have left the client an answer, which it will not take
                }

                return;
            }
        }
        while (!TryReplace(ref seen, seen | (long)reason));

        // Exchanged before the waits are looked at: one that begins later reads the reason first.
        WakeAll(isClientLost: reason is not FaultReason.UpstreamResponseTimeout);
    }

    private void TryRefuse(RefusalReason reason, long? exchange)
    {
        Debug.Assert(reason is not RefusalReason.None, "A refusal has a reason.");
        long seen = Volatile.Read(ref _exchange);
        do
        {
            // A body that has been read whole is refused no more: its answer may be on its way.
            if (((seen >> RefusalShift) & 0xFF) != 0 || (seen & LastBytesFlag) != 0 || IsAnother(seen, exchange))
            {
                return;
            }
        }
        while (!TryReplace(ref seen, seen | ((long)reason << RefusalShift) | StoppedFlag));

        WakeAll(isClientLost: false);
    }

    /// <summary>Cancels every wait of this connection; what is not waiting now finds the cancellation at its next wait.</summary>
    /// <param name="isClientLost">Nothing more is sent to the client. Otherwise it is to get an answer, and its flushes go on until it is lost too.</param>
    private void WakeAll(bool isClientLost)
    {
        _coldWait?.Cancel();
        _client.Input.CancelPendingRead();
        if (isClientLost)
        {
            _client.Output.CancelPendingFlush();
        }

        if (_upstream is { } upstream)
        {
            upstream.Transport.Output.CancelPendingFlush();
            upstream.Transport.Input.CancelPendingRead();
        }
    }

    /// <summary>From now on the heartbeat acts on nothing that it has seen before.</summary>
    /// <param name="kept">What stays of the word below its number.</param>
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

    /// <summary>Sets a flag; false where it was set already.</summary>
    private bool Set(long flag) => (Interlocked.Or(ref _exchange, flag) & flag) == 0;
}
