using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Relays one response from the upstream to the client: interim heads, final head, body. Its state is written by the connection's loop only.</summary>
/// <remarks>
/// <code>
///   Head ──► Body ──► Done      the whole response was handed to the client's connection
///     │        └────► Failed    it was cut off
///     └─────────────► Done      no body, or a body that was sent together with the head
/// </code>
/// </remarks>
internal sealed class ResponseStream
{
    /// <summary>Relays the body; reused. Valid from <see cref="ForwardAsync"/> on if there is a body.</summary>
    private readonly BodyRelay _relay = new();

    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>
    /// The head, as much as has been parsed. Null before the first byte of the first response, and from <see cref="BeginStreaming"/> until the first byte of
    /// the next response.
    /// </summary>
    private ResponseHead? _head;

    /// <summary>The connection to the upstream. Valid from <see cref="ReceiveHeadAsync"/> on.</summary>
    private Connection? _upstream;

    /// <summary>
    /// The bytes from the upstream that its reader still holds. They start with the final head. Valid from <see cref="ReceiveHeadAsync"/> to
    /// <see cref="ForwardAsync"/>.
    /// </summary>
    private ReadOnlySequence<byte> _received;

    /// <summary>How much of the response has been sent.</summary>
    public ReceiveState State { get; private set; }

    /// <summary>A byte of a response has arrived, so the request is not sent again after a failure.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The final head. Valid until it has been forwarded.</summary>
    public ResponseHead Head => _head!;

    /// <summary>The client was told that its connection stays open. Valid once the head has been forwarded.</summary>
    public bool ClientKeepsAlive { get; private set; }

    /// <summary>The upstream said that its connection stays open. Valid once the head has been forwarded.</summary>
    public bool UpstreamKeepsAlive { get; private set; }

    /// <summary>What is wrong with the framing of a body that ended as malformed.</summary>
    public Violation Violation => _relay.Violation;

    private SharedServices Parts => _owner!.Parts;

    private Connection Client => _owner!.Client;

    private Interrupts Interrupts => _owner!.Interrupts;

    /// <summary>Starts a new exchange on a connection.</summary>
    public void Open(ClientConnection owner)
    {
        Debug.Assert(_owner is null && _head is null or { FieldsStart: 0 }, "A response is opened once it has been cleared.");
        _owner = owner;
        State = ReceiveState.Head;
        HasBegun = false;
        ClientKeepsAlive = false;
        UpstreamKeepsAlive = false;
    }

    /// <summary>Releases everything that belongs to one exchange.</summary>
    public void Clear()
    {
        Discard();
        _owner = null;
        _upstream = null;
    }

    /// <summary>Discards a response that the client does not get.</summary>
    public void Discard()
    {
        _head?.Clear();
        _received = default;
        HasBegun = false;
    }

    /// <summary>Waits for the final response head. Interim responses are relayed meanwhile.</summary>
    /// <param name="upstream">The connection that the request was sent on.</param>
    /// <param name="request">The request.</param>
    /// <param name="outcome">Receives what is wrong with the response.</param>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<StageResult> ReceiveHeadAsync(Connection upstream, RequestHead request, ExchangeOutcome outcome)
    {
        Debug.Assert(State is ReceiveState.Head, "One final head is waited for.");
        _upstream = upstream;
        if (Parts.Limits.ResponseTimeout > TimeSpan.Zero)
        {
            Interrupts.Await(Wait.Response, Parts.Limits.ResponseTimeout);
        }

        int interim = 0;
        while (true)
        {
            ReadResult read = await upstream.Input.ReadAsync().ConfigureAwait(false);
            if (Interrupts.IsPumpStopped)
            {
                return Interrupts.IsCut ? StageResult.Fail(Interrupts.CutReason) : StageResult.Refuse(Interrupts.RefusedBody);
            }

            Step step = TakeHead(read.Buffer, request);
            Violation violation = ViolationOf(step, ref interim);
            if (violation is not Violation.None)
            {
                outcome.UpstreamViolation = violation;
                return StageResult.Fail(FaultReason.UpstreamResponseInvalid);
            }

            if (step.Kind is StepKind.Done && !Head.IsInterim)
            {
                Interrupts.StopWaiting();
                _received = read.Buffer;
                return StageResult.GoOn;
            }

            if (step.Kind is StepKind.Done)
            {
                await RelayInterimAsync(request).ConfigureAwait(false);
                upstream.Input.AdvanceTo(read.Buffer.GetPosition(step.Length));
                _head!.Clear();
            }
            else if (read.IsCompleted)
            {
                return StageResult.Fail(FaultReason.UpstreamClosedEarly);
            }
            else
            {
                upstream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    private Step TakeHead(in ReadOnlySequence<byte> received, RequestHead request)
    {
        Debug.Assert(received.IsSingleSegment, "Unconsumed bytes lie in one piece.");
        if (received.IsEmpty)
        {
            return Step.NeedMore;
        }

        HasBegun = true;
        _head ??= PerThreadPool<ResponseHead>.Rent();
        _head.AnswersHead = request.IsHead;
        _head.SetBytes(received.First);
        return HeadParser.Parse(_head, Parts.ResponseHeadLimits);
    }

    private Violation ViolationOf(in Step step, ref int interim) => step.Kind switch
    {
        StepKind.Reject => step.Violation,
        StepKind.Done when Head.Status == 101 => Violation.UnexpectedSwitch,
        StepKind.Done when Head.IsInterim && ++interim > Parts.Limits.MaxInterimResponses => Violation.TooManyInterim,
        _ => Violation.None,
    };

    /// <summary>Relays a 1xx to HTTP/1.1 clients (RFC 9110 §15.2). The client must read it within the write timeout, as any other response.</summary>
    private async ValueTask RelayInterimAsync(RequestHead request)
    {
        if (request.MinorVersion == 0)
        {
            return;
        }

        Parts.ResponseRewriter.Write(Head, new ResponseEdits { KeepsAlive = true }, Client.Output);
        long answer = Interrupts.Suspend(); // an interim response does not restart the deadline for the final one
        Interrupts.Await(Wait.ClientWrite, Parts.Limits.WriteTimeout);
        await Client.Output.FlushAsync().ConfigureAwait(false);
        Interrupts.StopWaiting();
        Interrupts.Resume(answer);
        Interrupts.SayContinue();
    }

    /// <summary>
    /// Skips the response's body if it has fully arrived with no bytes after it. Then the upstream connection can carry another request at once.
    /// </summary>
    public bool TrySkipWhole()
    {
        if (!Head.KeepsAlive || !IsWhole(Head, _received.Slice(Head.Length)))
        {
            return false;
        }

        _upstream!.Input.AdvanceTo(_received.End);
        return true;
    }

    /// <summary>Forwards the head of the final response and what has arrived of the body. <see cref="StreamAsync"/> relays the rest.</summary>
    /// <param name="request">The request.</param>
    /// <param name="extraLines">Field lines that the proxy adds; empty for none.</param>
    /// <returns>How the response ended; null if more of its body is to come.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<RelayEnd?> ForwardAsync(RequestStream request, ReadOnlyMemory<byte> extraLines)
    {
        ResponseHead head = Head;
        UpstreamKeepsAlive = head.KeepsAlive;
        SequencePosition headEnd = _received.GetPosition(head.Length);
        ClientKeepsAlive = WriteHead(request, extraLines);
        bool hasBody = !head.IsBodyless;
        if (hasBody)
        {
            StartRelay(request);
        }

        ReadOnlyMemory<byte> tail = default;
        SequencePosition consumed = headEnd;
        ReadOnlySequence<byte> body = _received.Slice(headEnd);
        if (hasBody && !_relay.IsComplete && !body.IsEmpty)
        {
            _relay.Pump(_relay.Release(body, isLast: false), Client.Output, out tail, out consumed);
        }

        ValueTask<FlushResult> sending = Client.Output.WriteAsync(tail);
        bool waits = !sending.IsCompleted;
        if (waits)
        {
            Interrupts.NoteAnswer();
            Interrupts.Await(Wait.ClientWrite, Parts.Limits.WriteTimeout);
        }

        FlushResult flush = await sending.ConfigureAwait(false);
        _ = waits && Interrupts.StopWaiting();
        _upstream!.Input.AdvanceTo(consumed);
        head.Clear();
        request.ReleaseHalf();
        bool isComplete = !hasBody || _relay.IsComplete;
        return flush.IsCompleted ? RelayEnd.SinkEnded
            : flush.IsCanceled ? RelayEnd.Canceled
            : isComplete ? RelayEnd.Complete
            : Interrupts.IsCut ? RelayEnd.Canceled
            : null;
    }

    /// <summary>Prepares to stream the rest of the body.</summary>
    public void BeginStreaming()
    {
        _upstream!.IsBulk = true;
        Interrupts.FollowStream(_relay);
        if (_head is { } head)
        {
            _head = null;
            PerThreadPool<ResponseHead>.Return(head);
        }
    }

    /// <summary>
    /// Relays the rest of the body. Only the connection's loop awaits this: a stream can last for days and must not keep other methods suspended.
    /// </summary>
    public ValueTask<RelayEnd> StreamAsync() => _relay.RunAsync(_upstream!.Input, Client.Output);

    /// <summary>
    /// Completes a body that ends with the upstream's connection, if that was closed without an error. A client that gets chunks is then sent the last chunk.
    /// </summary>
    /// <returns>How the body really ended.</returns>
    public ValueTask<RelayEnd> FinishAsync(RelayEnd end) =>
        end is RelayEnd.SourceEnded && _relay.LastsUntilClose && !_upstream!.Input.EndedByFault ? _relay.FinishUntilCloseAsync(Client.Output) : new(end);

    /// <summary>Ends the response, complete or not.</summary>
    public void End(RelayEnd end)
    {
        Debug.Assert(State is ReceiveState.Head or ReceiveState.Body, "A response ends once.");
        State = end is RelayEnd.Complete ? ReceiveState.Done : ReceiveState.Failed;
        _upstream!.IsBulk = false;
    }

    /// <summary>Checks the framing of what has arrived of the body before the head is forwarded: as long as nothing was sent, a 502 is possible.</summary>
    /// <remarks>
    /// Bytes after the end of the response stay in the buffer. They answer no request, so the upstream connection is closed when it is checked for reuse.
    /// </remarks>
    public Violation CheckBodySoFar()
    {
        if (Head.IsBodyless || Head.Framing.Kind is not FramingKind.Chunked)
        {
            return Violation.None;
        }

        BodyFraming framing = Head.Framing;
        return BodyWalk.ToEnd(ref framing, _received.Slice(Head.Length), out _);
    }

    private static bool IsWhole(ResponseHead head, in ReadOnlySequence<byte> body)
    {
        if (head.IsBodyless)
        {
            return body.IsEmpty;
        }

        BodyFraming framing = head.Framing;
        Violation violation = BodyWalk.ToEnd(ref framing, body, out long length);
        return violation is Violation.None && framing.IsComplete && length == body.Length;
    }

    private bool WriteHead(RequestStream request, ReadOnlyMemory<byte> extraLines)
    {
        ResponseHead head = Head;
        bool isHttp10 = request.Head.MinorVersion == 0;
        bool hasLength = head.Framing.Kind is FramingKind.Length;
        bool endsByClose = isHttp10 && !head.IsBodyless && !hasLength;
        bool isSent = !request.IsPumping && request.State is SendState.Done;
        bool keepsAlive = request.Head.KeepsAlive && !endsByClose && !Interrupts.IsDraining && isSent;
        var edits = new ResponseEdits
        {
            Framing = hasLength ? FramingKind.Length : isHttp10 ? FramingKind.None : FramingKind.Chunked,
            ClientIsHttp10 = isHttp10,
            KeepsAlive = keepsAlive,
            IsTls = _owner!.Entrance.IsTls,
            OwnAuthority = request.Authority,
            ExtraLines = extraLines.Span,
        };
        Parts.ResponseRewriter.Write(head, edits, Client.Output);
        return keepsAlive;
    }

    private void StartRelay(RequestStream sent)
    {
        RequestHead request = sent.Head;
        BodyRelay.SinkForm form = request.MinorVersion == 0 ? BodyRelay.SinkForm.Bare
            : Head.Framing.Kind is FramingKind.UntilClose ? BodyRelay.SinkForm.Chunked
            : BodyRelay.SinkForm.AsReceived;
        BodyStart endpointEvents = sent.Credential.IsForResource ? Parts.ResourceEndpointEvents : Parts.EndpointEvents;
        _relay.Start(Head.Framing, form, request.IsGet && Head.IsEventStream ? endpointEvents : null);
        State = ReceiveState.Body;
    }
}
