using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;

namespace McpProxyFast.Serving;

/// <summary>
/// One request and its response. Runs the stages in the order of src/Engine/README.md ("The life of a request"), and holds the state of the exchange.
/// </summary>
/// <remarks>
/// Kept per thread and reused: see <see cref="Rent"/> and <see cref="Return"/>. <see cref="Return"/> clears all state of an exchange, so nothing of it reaches
/// the next one.
/// </remarks>
internal sealed class Exchange
{
    /// <summary>The exchange's connection; valid between <see cref="Rent"/> and <see cref="Return"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>Field lines that the proxy adds to the response, such as those for CORS; empty for none.</summary>
    private ReadOnlyMemory<byte> _extraLines;

    /// <summary>The bytes that had been sent to the client when the exchange began.</summary>
    private long _sentBefore;

    /// <summary>
    /// The state of the request. Null from <see cref="ReleaseRequest"/> until the next <see cref="Rent"/>: a streamed response needs none of it.
    /// </summary>
    private RequestStream? _request;

    private RequestStream Request => _request!;

    /// <summary>The state of the response.</summary>
    public ResponseStream Response { get; } = new();

    /// <summary>What is reported when the exchange has ended.</summary>
    private ExchangeOutcome Outcome { get; } = new();

    private CredentialStage Credential => Request.Credential;

    private RedirectStage Redirect => Request.Redirect;

    private SharedServices Parts => _owner!.Parts;

    private Interrupts Interrupts => _owner!.Interrupts;

    private UpstreamConnection Upstream => Interrupts.Upstream!;

    /// <summary>The request may be sent again if its connection fails: it is idempotent and has fully arrived. Valid until it is sent.</summary>
    private bool MaySendTwice => Request.Head.IsIdempotent && Request.IsWhole();

    /// <summary>How much of the request has been sent. Also valid after <see cref="ReleaseRequest"/>.</summary>
    private SendState RequestState => _request?.State ?? SendState.Done;

    /// <summary>Gets an exchange for a connection on which a request begins.</summary>
    public static Exchange Rent(ClientConnection owner)
    {
        Exchange exchange = PerThreadPool<Exchange>.Rent();
        Debug.Assert(exchange._owner is null, "An exchange has one connection at a time.");
        exchange._owner = owner;
        exchange._request ??= PerThreadPool<RequestStream>.Rent();
        exchange._request.Open(owner);
        exchange.Response.Open(owner);
        return exchange;
    }

    /// <summary>Clears an exchange that has ended, and keeps it for a later one.</summary>
    public static void Return(Exchange exchange)
    {
        // Settled before the relays are cleared, so that the heartbeat never acts on a relay that another exchange uses.
        exchange.Interrupts.Settle();
        exchange._request?.Clear();
        exchange.Response.Clear();
        exchange.Outcome.Clear();
        exchange._owner = null;
        exchange._extraLines = default;
        PerThreadPool<Exchange>.Return(exchange);
    }

    /// <summary>Runs the stages. The numbers are those of src/Engine/README.md.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<ExchangeProgress> RunAsync()
    {
        // 1. Head
        StageResult stage = await Request.ReceiveHeadAsync().ConfigureAwait(false);
        if (stage.Kind is StageKind.NoExchange)
        {
            return ExchangeProgress.Close;
        }

        Begin();

        // 2. Admit
        bool verdictIsDue = false;
        stage = stage.GoesOn ? AdmissionStage.Admit(_owner!, Request.Head, Outcome, out verdictIsDue) : stage;
        if (verdictIsDue)
        {
            stage = await AdmissionStage.AwaitVerdictAsync(_owner!, Request.Head, Outcome).ConfigureAwait(false);
        }

        // 3. Credential
        Credential.NoteCaller(Outcome.Verdict);
        if (stage.GoesOn && !Credential.TryTake(Request))
        {
            stage = await Credential.PrepareAsync(Request).ConfigureAwait(false);
        }

        do
        {
            // 4. Lease
            stage = stage.GoesOn && !TryTakeHeldUpstream() ? await LeaseAsync().ConfigureAwait(false) : stage;

            // 5. Send
            stage = stage.GoesOn ? await SendAsync().ConfigureAwait(false) : stage;

            // 6. Wait
            if (stage.GoesOn)
            {
                stage = await Response.ReceiveHeadAsync(Upstream.Transport, Request.Head, Outcome).ConfigureAwait(false);
                if (Request.IsPumping && Interrupts.IsAtLastBytes)
                {
                    await Request.JoinLastBytesAsync().ConfigureAwait(false); // a request can be sent again only after its pump has ended
                }

                stage = Review(stage);
            }

            if (stage.GoesOn && Credential.IsChallenge(Response.Head))
            {
                stage = await RecoverAsync().ConfigureAwait(false);
            }
        }
        while (stage.Kind is StageKind.SendAgain);

        // 7. Answer
        // 8. Settle: EndAsync; for a streamed response, the connection's loop calls it
        return stage.GoesOn ? await ForwardAsync().ConfigureAwait(false) : await AnswerAsync(stage).ConfigureAwait(false);
    }

    /// <summary>The last stage (8): settles the exchange. Its response has ended, complete or not.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<ExchangeProgress> EndAsync(RelayEnd end)
    {
        end = await Response.FinishAsync(end).ConfigureAwait(false);
        Response.End(end);
        bool isSent = _request is null || await _request.StopPumpAsync().ConfigureAwait(false);
        Outcome.Refusal = Interrupts.RefusedBody;
        Outcome.UpstreamViolation = end is RelayEnd.Malformed ? Response.Violation : Violation.None;
        bool isWhole = end is RelayEnd.Complete; // even if the client has disconnected since: everything was sent to it
        if (!isWhole)
        {
            _owner!.Resets = true; // the client gets a reset, so that an incomplete response does not look complete
        }

        bool hasLeft = !isWhole && (end is RelayEnd.SinkEnded || Interrupts.CutReason is FaultReason.ClientGone);
        Outcome.Fault = isWhole ? FaultReason.None
            : hasLeft ? FaultReason.ClientGone
            : Interrupts.IsCut ? Interrupts.CutReason
            : Outcome.Refusal is not RefusalReason.None ? FaultReason.None
            : FaultReason.UpstreamAbortedBody;
        _owner!.Client.Input.Unwatch();
        (bool clientGoesOn, bool upstreamGoesOn) = ReuseRule.Decide(
            RequestState, Response.State, Response.ClientKeepsAlive, Response.UpstreamKeepsAlive, Interrupts.IsDisturbed);
        if (upstreamGoesOn)
        {
            Upstream.Hold(Math.Min(Parts.Heartbeat.Now, Interrupts.AnsweredBy)); // kept for this client's next request, and watched meanwhile
        }
        else
        {
            DropUpstream();
        }

        // Reported only now, so that the upstream connection is free or closed when the report is seen.
        Tell(isWhole ? ExchangeEnd.Answered : hasLeft ? ExchangeEnd.ClientGone : ExchangeEnd.Cut);
        if (isWhole && !clientGoesOn && (!isSent || HasSentMore()))
        {
            await Lingering.RunAsync(_owner).ConfigureAwait(false);
        }

        return clientGoesOn ? ExchangeProgress.Over : ExchangeProgress.Close;
    }

    /// <summary>
    /// Whether the client has sent more bytes, such as a surplus CRLF. If they stayed unread, a close would reset the connection, and the response could be
    /// lost.
    /// </summary>
    private bool HasSentMore() => _owner!.Client.Input.Look(asksSystem: true) is Arrival.Bytes;

    /// <summary>Cleans up after an internal error: ends the pump, closes the upstream connection, and reports the outcome if that has not been done.</summary>
    public async ValueTask AbandonAsync()
    {
        Interrupts.Cut(FaultReason.InternalError);
        try
        {
            if (_request is not null)
            {
                await _request.StopPumpAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            DropUpstream();
            if (Outcome.End is null)
            {
                Outcome.Fault = FaultReason.InternalError;
                Tell(ExchangeEnd.Cut);
            }

            Interrupts.Settle();
        }
    }

    private void Begin()
    {
        Outcome.Peer = _owner!.Client.RemoteAddress;
        _sentBefore = _owner.Client.Output.SentBytes;
        if (Parts.Metrics.ObservesExchanges)
        {
            Outcome.StartedAt = Parts.Clock.GetTimestamp();
        }

        if (!Request.HasHead)
        {
            return;
        }

        if (Parts.Metrics.ObservesExchanges)
        {
            Outcome.Copy(Request.Head);
        }

        if (Parts.Cors.IsOn)
        {
            _extraLines = Parts.Cors.AnswerLinesFor(Request.Head.Value(KnownField.Origin));
        }

        Redirect.Recall(Request.Head);
    }

    /// <summary>
    /// The warm path: takes the upstream connection that this client has kept, if it is open, has no unexpected bytes, and is recent enough for this request.
    /// </summary>
    private bool TryTakeHeldUpstream()
    {
        if (Interrupts.Upstream is not { } held)
        {
            return false;
        }

        if (held.TryTake() && Parts.Pool.ShouldCarry(held, _owner!.Client.Affinity, MaySendTwice))
        {
            return true;
        }

        DropUpstream();
        return false;
    }

    /// <summary>
    /// Gets an upstream connection if none is kept for this client: an idle one of the pool, or a new one. If the request was sent before, always a new one.
    /// </summary>
    private async ValueTask<StageResult> LeaseAsync()
    {
        Affinity? near = _owner!.Client.Affinity;
        UpstreamConnection? idle = Outcome.Attempts == 0 ? Parts.Pool.TryTake(near, MaySendTwice) : null;
        if (idle is not null)
        {
            Interrupts.Upstream = idle;
        }
        else
        {
            using SlowPathWait wait = Interrupts.StartSlowPathWait();
            LeaseResult lease = await Parts.Pool.ConnectAsync(near, wait.Token).ConfigureAwait(false);
            if (lease.Connection is null)
            {
                return Interrupts.IsCut
                    ? StageResult.Fail(Interrupts.CutReason)
                    : StageResult.Fail(lease.Fault, lease.Failure is null ? null : new FaultDetail(0, lease.Failure.Sentence, Failure: lease.Failure));
            }

            Interrupts.Upstream = lease.Connection;
        }

        return Interrupts.IsCut ? StageResult.Fail(Interrupts.CutReason) : StageResult.GoOn;
    }

    private ValueTask<StageResult> SendAsync()
    {
        Outcome.Attempts++;
        Outcome.IsUpstreamReused = Upstream.IsReused;
        return Request.SendAsync(Upstream.Transport, Credential.LineFor(Request, Redirect.To), Redirect.To);
    }

    /// <summary>Checks the outcome of the wait for the response head, before the client gets any of it. May prepare the request to be sent again.</summary>
    private StageResult Review(StageResult stage)
    {
        if (Interrupts.RefusedBody is var refused and not RefusalReason.None)
        {
            return StageResult.Refuse(refused);
        }

        if (!stage.GoesOn)
        {
            return TryRetry(stage.Fault) ? StageResult.SendAgain : stage;
        }

        if (Response.Head.Fields.Has(KnownField.KeepAlive) && KeepAliveField.TimeoutOf(Response.Head) is var seconds and not KeepAliveField.NotSaid)
        {
            Upstream.KeepFor(seconds);
        }

        if (!Redirect.TryFollow(Request, Response.Head))
        {
            NoteMove();
            return StageResult.GoOn;
        }

        PrepareToSendAgain(keepsUpstream: Response.TrySkipWhole(), idleSince: Parts.Heartbeat.Now);
        return StageResult.SendAgain;
    }

    /// <summary>Keeps the URL of a redirect that is forwarded to the client, for a warning that is logged only once. After that, it keeps nothing.</summary>
    private void NoteMove()
    {
        if (Response.Head.Status is >= 300 and < 400 && Parts.Metrics.OwesRedirectHint)
        {
            Outcome.MovedTo = MovedTarget.Find(Parts.Target, Request.Path, Response.Head.Value(KnownField.Location));
        }
    }

    /// <summary>
    /// Prepares to send the request again on a new connection, if it was sent on a reused connection that had been closed, and repeating it is harmless.
    /// </summary>
    private bool TryRetry(FaultReason fault)
    {
        bool retries = fault is FaultReason.UpstreamClosedEarly
            && !Response.HasBegun
            && ReuseRule.MayRetry(Upstream.IsReused, Request.CanBeSentAgain, Request.Head.IsIdempotent, Outcome.Attempts - 1);
        if (retries)
        {
            Parts.Metrics.Retried();
            PrepareToSendAgain(keepsUpstream: false, idleSince: 0);
        }

        return retries;
    }

    /// <summary>Responds to a challenge by the upstream with another credential, if there is one.</summary>
    private async ValueTask<StageResult> RecoverAsync()
    {
        long answeredAt = Parts.Heartbeat.Now; // taken before the wait: the upstream may count its connection as idle from its answer on
        Interrupts.NoteAnswer();
        StageResult result = await Credential.RecoverAsync(Request, Response.Head, Redirect.To).ConfigureAwait(false);
        if (result.Kind is StageKind.SendAgain)
        {
            PrepareToSendAgain(keepsUpstream: Response.TrySkipWhole(), idleSince: answeredAt);
        }

        return result;
    }

    /// <summary>Prepares to send the request again after a response, or a failure, that the client does not see.</summary>
    /// <param name="keepsUpstream">Whether the same upstream connection may carry the request again.</param>
    /// <param name="idleSince">If the connection is kept: when it became idle, in the heartbeat's time.</param>
    private void PrepareToSendAgain(bool keepsUpstream, long idleSince)
    {
        Interrupts.StopWaiting();
        Response.Discard();
        Request.Rewind();
        if (keepsUpstream && !Interrupts.IsDisturbed)
        {
            Upstream.Hold(idleSince);
        }
        else
        {
            DropUpstream();
        }
    }

    /// <summary>Forwards the upstream's response: all of it, or the head and what has arrived of the body.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<ExchangeProgress> ForwardAsync()
    {
        Outcome.UpstreamViolation = Response.CheckBodySoFar();
        if (Outcome.UpstreamViolation is not Violation.None)
        {
            return await AnswerAsync(StageResult.Fail(FaultReason.UpstreamResponseInvalid)).ConfigureAwait(false);
        }

        Outcome.Status = Response.Head.Status;
        RelayEnd? end = await Response.ForwardAsync(Request, _extraLines).ConfigureAwait(false);
        MarkFirstByte();
        if (end is not null)
        {
            return await EndAsync(end.Value).ConfigureAwait(false);
        }

        Response.BeginStreaming();
        Request.Forget();
        if (Request is { HasPumped: false, State: SendState.Done })
        {
            ReleaseRequest();
        }

        return ExchangeProgress.Streaming;
    }

    /// <summary>Answers instead of the upstream, if the client is still there.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<ExchangeProgress> AnswerAsync(StageResult stage)
    {
        await Request.StopPumpAsync().ConfigureAwait(false); // the pump writes to the upstream connection, which is closed next
        DropUpstream();
        OwnReply? reply = AnswerStage.Word(stage, _owner!, Request, Outcome, out ExchangeEnd end);
        if (reply is null)
        {
            Tell(end); // the client has gone, or no response to it is possible
            _owner!.Client.Input.Unwatch();
            return ExchangeProgress.Close;
        }

        PipeWriter output = _owner!.Client.Output;
        RequestHead? head = Request.HasHead ? Request.Head : null;
        bool keepsAlive = head is { KeepsAlive: true } && !Interrupts.IsDraining && !Interrupts.IsDisturbed && Request.TrySkip();
        reply = _extraLines.IsEmpty || reply.Status == 204 ? reply : reply.WithLines(_extraLines.Span);
        reply.Write(output, isHead: head is { IsHead: true }, keepsAlive, isHttp10: head is { MinorVersion: 0 });
        Interrupts.Await(Wait.ClientWrite, Parts.Limits.WriteTimeout);
        FlushResult flush = await output.FlushAsync().ConfigureAwait(false);
        Interrupts.StopWaiting();
        MarkFirstByte();
        Outcome.Status = reply.Status;
        Tell(end);
        _owner.Client.Input.Unwatch();
        bool isAnswered = !flush.IsCompleted && !flush.IsCanceled;
        _owner.Resets |= flush.IsCanceled; // then the response is incomplete
        bool goesOn = ReuseRule.DecideAfterOwnReply(keepsAlive, isAnswered, Interrupts.IsDisturbed);
        // Lingering begins with an orderly close of the sending side. A client that did not get the whole response must see only a reset.
        if (!goesOn && isAnswered)
        {
            await Lingering.RunAsync(_owner).ConfigureAwait(false);
        }

        return goesOn ? ExchangeProgress.Over : ExchangeProgress.Close;
    }

    /// <summary>
    /// Returns the state of the request to the pool. A streamed response can last for days, and needs nothing of a request that was sent completely.
    /// </summary>
    private void ReleaseRequest()
    {
        RequestStream released = Request;
        Outcome.BytesReceived = released.ReceivedBytes;
        released.Clear();
        _request = null;
        PerThreadPool<RequestStream>.Return(released);
    }

    private void MarkFirstByte()
    {
        if (Parts.Metrics.ObservesExchanges)
        {
            Outcome.FirstByteAt = Parts.Clock.GetTimestamp();
        }
    }

    /// <summary>Reports how the exchange ended to the counters, the log and the observer. Nothing else reports it.</summary>
    private void Tell(ExchangeEnd end)
    {
        Debug.Assert(Outcome.End is null, "An outcome is told once.");
        Outcome.End = end;
        Outcome.BytesReceived = _request?.ReceivedBytes ?? Outcome.BytesReceived;
        Outcome.BytesSent = _owner!.Client.Output.SentBytes - _sentBefore;
        Parts.Metrics.Tell(Outcome);
    }

    /// <summary>
    /// Closes an upstream connection that failed or is in doubt. If its request is incomplete, the upstream sees a reset, so that it cannot take the request
    /// for complete.
    /// </summary>
    private void DropUpstream()
    {
        if (Interrupts.Upstream is { } dropped)
        {
            Interrupts.Upstream = null;
            dropped.Transport.Close(reset: RequestState is SendState.Body or SendState.Failed);
        }
    }
}
