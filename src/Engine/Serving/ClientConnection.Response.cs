using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Serving;

/// <summary>The response's way, upstream to client.</summary>
internal sealed partial class ClientConnection
{
    private BodyRelay? _responseRelay;
    private ReadOnlySequence<byte> _answered;
    private ReceiveState _receiveState;
    private int _status;
    private bool _isStreaming;
    private bool _clientKeepsAlive;
    private bool _upstreamKeepsAlive;

    /// <summary>Waits for the final response head; interim ones are relayed on the way.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<FaultReason> ReceiveResponseHeadAsync()
    {
        if (_parts.Limits.ResponseTimeout > TimeSpan.Zero)
        {
            Await(Wait.Response, _parts.Limits.ResponseTimeout);
        }

        PipeReader input = _upstream!.Connection.Input;
        int interim = 0;
        while (true)
        {
            ReadResult read = await input.ReadAsync().ConfigureAwait(false);
            if (CutReason is not FaultReason.None || RefusedBody is not RefusalReason.None)
            {
                return CutReason;
            }

            Step step = TakeResponseHead(read.Buffer);
            if (step.Kind is StepKind.Done && !_response!.IsInterim)
            {
                StopWaiting();
                _answered = read.Buffer;
                return FaultReason.None;
            }

            RefusalReason doubt = step.Kind is StepKind.Reject ? step.Reason
                : step.Kind is StepKind.NeedMore ? RefusalReason.None
                : _response!.Status == 101 ? RefusalReason.SwitchUnasked
                : ++interim > _parts.Limits.MaxInterimResponses ? RefusalReason.TooManyInterim
                : RefusalReason.None;
            if (doubt is not RefusalReason.None)
            {
                _parts.Tally.Refused(doubt, Side.Upstream);
                return FaultReason.UpstreamResponseInvalid;
            }

            if (step.Kind is StepKind.Done)
            {
                await RelayInterimAsync().ConfigureAwait(false);
                input.AdvanceTo(read.Buffer.GetPosition(step.Length));
                HeadPool<ResponseHead>.Return(ref _response);
                continue;
            }

            if (read.IsCompleted)
            {
                return FaultReason.UpstreamClosedEarly;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private Step TakeResponseHead(in ReadOnlySequence<byte> received)
    {
        if (received.IsEmpty)
        {
            return Step.NeedMore;
        }

        _responseSeen = true;
        _response ??= HeadPool<ResponseHead>.Rent();
        _response.AnswersHead = _request!.IsHead;
        _response.Show(received.IsSingleSegment ? received.First : received.Slice(0, Math.Min(received.Length, _parts.Limits.MaxHeadBytes)).ToArray());
        return HeadParser.Parse(_response, _parts.ResponseHeadLimits);
    }

    /// <summary>1xx go to clients of HTTP/1.1 (RFC 9110 §15.2). A client that does not read them is bounded as one that does not read its answer.</summary>
    private async ValueTask RelayInterimAsync()
    {
        if (_request!.MinorVersion == 0)
        {
            return;
        }

        _parts.ResponseRewriter.Write(_response!, new ResponseEdits { KeepsAlive = true }, _client.Output);
        long answerDue = Volatile.Read(ref _deadline);
        Await(Wait.ClientWrite, _parts.Limits.WriteTimeout);
        await _client.Output.FlushAsync().ConfigureAwait(false);
        _wait = Wait.Response; // an interim response does not start the time for the final one anew
        Volatile.Write(ref _deadline, answerDue);
    }

    /// <summary>Forwards the final response: the head with what there is of the body. A longer body is left to the main loop (<c>_isStreaming</c>).</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> ForwardResponseAsync()
    {
        ResponseHead response = _response!;
        _status = response.Status;
        _upstreamKeepsAlive = response.KeepAlive;
        SequencePosition headEnd = _answered.GetPosition(response.Length);
        ReadOnlySequence<byte> body = _answered.Slice(headEnd);
        RefusalReason doubt = JudgeSoFar(response, body);
        if (doubt is not RefusalReason.None)
        {
            _parts.Tally.Refused(doubt, Side.Upstream);
            return await FaultAsync(FaultReason.UpstreamResponseInvalid).ConfigureAwait(false);
        }

        _clientKeepsAlive = WriteResponseHead(response);
        bool hasBody = !response.IsBodyless;
        BodyRelay? relay = hasBody ? StartResponseRelay(response) : null;
        ReadOnlyMemory<byte> tail = default;
        SequencePosition consumed = headEnd;
        if (relay is { IsComplete: false } && !body.IsEmpty)
        {
            relay.Pump(body, _client.Output, out tail, out consumed);
        }

        _responseBegan = true;
        Await(Wait.ClientWrite, _parts.Limits.WriteTimeout);
        FlushResult flush = await _client.Output.WriteAsync(tail).ConfigureAwait(false);
        StopWaiting();
        _upstream!.Connection.Input.AdvanceTo(consumed);
        HeadPool<ResponseHead>.Return(ref _response);
        ReleaseRequest();

        bool isCut = CutReason is not FaultReason.None || flush.IsCanceled;
        if (relay is { IsComplete: false } && !flush.IsCompleted && !isCut)
        {
            StartStreaming(relay);
            return true;
        }

        RelayEnd end = flush.IsCompleted ? RelayEnd.SinkEnded : isCut ? RelayEnd.Canceled : RelayEnd.Complete;
        return await EndExchangeAsync(end).ConfigureAwait(false);
    }

    private bool WriteResponseHead(ResponseHead response)
    {
        bool isHttp10 = _request!.MinorVersion == 0;
        bool endsByClose = isHttp10 && !response.IsBodyless && response.Framing.Kind is not FramingKind.Length;
        bool keepsAlive = _request.KeepAlive && !endsByClose && !IsDraining && _sendState is SendState.Done;
        var edits = new ResponseEdits
        {
            Framing = response.Framing.Kind is FramingKind.Length ? FramingKind.Length : isHttp10 ? FramingKind.None : FramingKind.Chunked,
            ClientIsHttp10 = isHttp10,
            KeepsAlive = keepsAlive,
            IsTls = _entrance.IsTls,
            OwnAuthority = _authorityCopy ?? _request.Authority,
            ExtraLines = _extraLines.Span,
        };
        _parts.ResponseRewriter.Write(response, edits, _client.Output);
        return keepsAlive;
    }

    private BodyRelay StartResponseRelay(ResponseHead response)
    {
        BodyRelay.SinkForm form = _request!.MinorVersion == 0 ? BodyRelay.SinkForm.Bare
            : response.Framing.Kind is FramingKind.UntilClose ? BodyRelay.SinkForm.Chunked
            : BodyRelay.SinkForm.AsReceived;
        BodyRelay relay = _responseRelay ??= new BodyRelay();
        relay.Start(response.Framing, form, long.MaxValue, _parts.Limits.MaxChunkOverheadBytes);
        _receiveState = ReceiveState.Body;
        return relay;
    }

    /// <summary>Judges what has come behind the head before the head goes on: as long as nothing was sent, a 502 still can be.</summary>
    /// <remarks>Bytes behind the answer's end are a second one that nobody asked for: then neither is sure to be this request's.</remarks>
    private RefusalReason JudgeSoFar(ResponseHead response, in ReadOnlySequence<byte> body)
    {
        if (response.IsBodyless || response.Framing.Kind is FramingKind.Length)
        {
            long most = response.IsBodyless ? 0 : response.Framing.DeclaredLength;
            return body.Length > most ? RefusalReason.AnswerUnasked : RefusalReason.None;
        }

        if (response.Framing.Kind is not FramingKind.Chunked)
        {
            return RefusalReason.None;
        }

        BodyFraming framing = response.Framing;
        framing.Bound(long.MaxValue, _parts.Limits.MaxChunkOverheadBytes, dataOnly: false);
        foreach (ReadOnlyMemory<byte> segment in body)
        {
            ReadOnlySpan<byte> rest = segment.Span;
            while (!rest.IsEmpty && !framing.IsComplete)
            {
                Step step = framing.Next(rest);
                if (step.Kind is StepKind.Reject)
                {
                    return step.Reason;
                }

                rest = rest[step.Length..];
            }

            if (!rest.IsEmpty)
            {
                return RefusalReason.AnswerUnasked;
            }
        }

        return RefusalReason.None;
    }

    private void StartStreaming(BodyRelay relay)
    {
        _isStreaming = true;
        _upstream!.Connection.IsBulk = true;
        _responseProgress.Start(_parts.Heartbeat.Now, relay.Steps);
        if (_pump is null)
        {
            ReturnHeads();
            _requestRelay = null;
        }
    }

    /// <summary>The last stage: the response is over, one way or the other.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> EndExchangeAsync(RelayEnd end)
    {
        _isStreaming = false;
        _upstream!.Connection.IsBulk = false;
        RefusalReason refused = RefusedBody; // seen before the pump is stopped by the same means
        bool requestDone = await JoinPumpAsync().ConfigureAwait(false);
        _authorityCopy = null;
        if (refused is not RefusalReason.None)
        {
            _parts.Tally.Refused(refused, Side.Client);
            _rule = Refusal.For(refused).Rule;
        }

        if (end is RelayEnd.Malformed)
        {
            _parts.Tally.Refused(_responseRelay!.Reason, Side.Upstream);
        }

        if (end is RelayEnd.Complete && CutReason is FaultReason.None)
        {
            _receiveState = ReceiveState.Done;
            Report(ExchangeEnd.Answered, _status, "");
            bool goesOn = Settle(_clientKeepsAlive, _upstreamKeepsAlive);
            if (!goesOn && !requestDone)
            {
                await LingerAsync().ConfigureAwait(false);
            }

            return goesOn;
        }

        // What the client has is not whole, and must not look as if it were.
        _receiveState = ReceiveState.Failed;
        _resets = true;
        bool clientLeft = end is RelayEnd.SinkEnded || CutReason is FaultReason.ClientGone;
        if (!clientLeft && CutReason is FaultReason.None && refused is not RefusalReason.None)
        {
            Report(ExchangeEnd.Cut, _status, Refusal.For(refused).Code);
            return Settle(clientKeepsAlive: false, upstreamKeepsAlive: false);
        }

        FaultReason cause = clientLeft ? FaultReason.ClientGone : CutReason is FaultReason.None ? FaultReason.UpstreamAbortedBody : CutReason;
        _parts.Tally.Faulted(cause);
        Report(clientLeft ? ExchangeEnd.ClientGone : ExchangeEnd.Cut, _status, Fault.For(cause).Code);
        return Settle(clientKeepsAlive: false, upstreamKeepsAlive: false);
    }
}
