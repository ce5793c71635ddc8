using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Sends one request from the client to the upstream: head, replay window, body pump. Nothing else writes its state.</summary>
/// <remarks>
/// A small request stays in the receive buffer until the response head has been forwarded (the replay window), so that it can be sent again. A body that has
/// not fully arrived is sent by the pump as it arrives. The pump runs beside the main loop, which waits for the response meanwhile.
/// <para>
/// While the pump runs (<see cref="IsPumping"/>), it owns the fields that it uses. The main loop then reads only the copy of the request's parts
/// (<see cref="Noted"/>), and those values of the head that do not lie in the received bytes. The two communicate through <see cref="Interrupts"/> only. After
/// the main loop has joined the pump, it owns all fields again.
/// </para>
/// <code>
///   Head ──► Body ──► Done        everything was sent
///     │        └────► Failed      stopped, or the upstream stopped reading
///     └─────────────► Done, Failed    a request without a body: sent in one call
/// </code>
/// </remarks>
internal sealed class RequestStream
{
    /// <summary>
    /// How long a response that has arrived waits until the last bytes of its request are sent. An upstream that answers early may never read them.
    /// </summary>
    private static readonly TimeSpan LastBytesTimeout = TimeSpan.FromMilliseconds(200);

    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>The head, as much as has been parsed. Cleared for each request.</summary>
    private readonly RequestHead _head = new();

    /// <summary>Relays the body. Started each time that a request with a body is sent.</summary>
    private readonly BodyRelay _relay = new();

    /// <summary>
    /// The bytes from the client that its reader still holds. They start with the head while <see cref="IsHeld"/>. Valid until the reader is advanced.
    /// </summary>
    private ReadOnlySequence<byte> _received;

    /// <summary>The position after the last byte that was sent, within <see cref="_received"/>.</summary>
    private SequencePosition _sentTo;

    /// <summary>The writer to the upstream. Valid from <see cref="SendAsync"/> on.</summary>
    private PipeWriter? _output;

    /// <summary>The running pump. Valid while <see cref="IsPumping"/>; awaited once.</summary>
    private ValueTask<bool> _pump;

    /// <summary>
    /// A copy of the parts of the request that may be needed for a challenge. Made before a wait for a credential, and before a pump starts, which may release
    /// the head's bytes at any time. Used by the main loop only. Valid until <see cref="Forget"/>.
    /// </summary>
    private RequestNote _note;

    /// <summary>How much of the request has been sent.</summary>
    public SendState State { get; private set; }

    /// <summary>Everything received of the request is still in the receive buffer, so it can be sent again.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>The pump has been started and not yet been joined.</summary>
    public bool IsPumping { get; private set; }

    /// <summary>A pump was started for this request. The heartbeat may read the pump's relay until the exchange settles.</summary>
    public bool HasPumped { get; private set; }

    /// <summary>Bytes of this request received so far, including its head.</summary>
    public long ReceivedBytes { get; private set; }

    /// <summary>The head. Valid once <see cref="HasHead"/>. While the pump runs, its bytes must not be read.</summary>
    public RequestHead Head => _head;

    /// <summary>The whole head has arrived.</summary>
    public bool HasHead => _head.Length > 0;

    /// <summary>Chooses the credential that the request is sent with.</summary>
    public CredentialStage Credential { get; } = new();

    /// <summary>Follows redirects by the upstream.</summary>
    public RedirectStage Redirect { get; } = new();

    /// <summary>The request can be sent again, byte for byte.</summary>
    public bool CanBeSentAgain => !IsPumping && IsHeld && State is SendState.Done && !Interrupts.IsDisturbed;

    /// <summary>The authority that the client asked for. Can be read while the pump runs, and after it.</summary>
    public ReadOnlySpan<byte> Authority => HasPumped ? _note.Authority : Head.Authority;

    /// <summary>The path that the client asked for. Can be read while the pump runs, and after it.</summary>
    public ReadOnlySpan<byte> Path => HasPumped ? _note.Path : Head.Path;

    /// <summary>The copy of the request's parts that was made last.</summary>
    public ref readonly RequestNote Noted => ref _note;

    private SharedServices Parts => _owner!.Parts;

    private Connection Client => _owner!.Client;

    private Interrupts Interrupts => _owner!.Interrupts;

    /// <summary>Starts a new request on a connection.</summary>
    public void Open(ClientConnection owner)
    {
        Debug.Assert(_owner is null && _head.FieldsStart == 0 && !IsPumping, "A request is opened once it has been cleared.");
        _owner = owner;
        Credential.Open(owner);
        Redirect.Open(owner);
        State = SendState.Head;
        IsHeld = true;
        HasPumped = false;
        ReceivedBytes = 0;
    }

    /// <summary>Releases everything that belongs to one exchange.</summary>
    public void Clear()
    {
        Debug.Assert(!IsPumping, "The pump is joined before its request is cleared.");
        _head.Clear();
        _note.Clear();
        Credential.Clear();
        Redirect.Clear();
        _owner = null;
        _output = null;
        _received = default;
        _sentTo = default;
    }

    /// <summary>Reads the head. If it does not arrive at once, a deadline starts; when that expires, the request is refused.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<StageResult> ReceiveHeadAsync()
    {
        PipeReader input = Client.Input;
        int emptyLines = 0;
        bool isWaiting = false;
        while (true)
        {
            ReadResult read = await input.ReadAsync().ConfigureAwait(false);
            StageResult? result = TakeHead(read, ref emptyLines);
            if (result is not null)
            {
                _ = isWaiting && Interrupts.StopWaiting();
                return Interrupts.IsCut ? StageResult.NoExchange : result.Value;
            }

            if (!isWaiting)
            {
                isWaiting = true;
                Interrupts.Await(Wait.Request, Parts.Limits.HeaderTimeout);
            }
        }
    }

    /// <summary>Parses what has arrived of the head. Returns null if more bytes are needed; then the reader has been advanced.</summary>
    private StageResult? TakeHead(in ReadResult read, ref int emptyLines)
    {
        const int maxEmptyLines = 4; // RFC 9112 §2.2 asks servers to ignore at least one empty line
        Debug.Assert(read.Buffer.IsSingleSegment, "Unconsumed bytes lie in one piece.");
        ReadOnlyMemory<byte> bytes = read.Buffer.First;
        if (bytes.Span is [(byte)'\r', (byte)'\n', ..] && emptyLines < maxEmptyLines)
        {
            emptyLines++;
            Client.Input.AdvanceTo(read.Buffer.GetPosition(2));
            return read.IsCompleted ? StageResult.NoExchange : null;
        }

        Step step = Step.NeedMore;
        if (bytes.Span is not ([] or [(byte)'\r']))
        {
            Head.SetBytes(bytes);
            step = HeadParser.Parse(Head, Parts.RequestHeadLimits);
        }

        _received = read.Buffer;
        ReceivedBytes = read.Buffer.Length;
        if (step.Kind is StepKind.Done or StepKind.Reject)
        {
            return step.Kind is StepKind.Done ? StageResult.GoOn : StageResult.Refuse(Refusal.ReasonFor(step.Violation));
        }

        if (read.IsCompleted)
        {
            return StageResult.NoExchange;
        }

        if (Interrupts.HasTimedOut)
        {
            return StageResult.Refuse(RefusalReason.HeadTooSlow);
        }

        Client.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        return null;
    }

    /// <summary>
    /// Whether to wait for the rest of a small body: it has not fully arrived, it fits the replay window, and the client is not waiting for a 100.
    /// </summary>
    public bool MayGather()
    {
        var scan = new BodyScan(Head);
        return MayGather(ref scan);
    }

    /// <summary>Waits until a small body has fully arrived, so that the request can be sent again.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<StageResult> GatherAsync()
    {
        var scan = new BodyScan(Head);
        Interrupts.Await(Wait.Request, Parts.Limits.BodyTimeout);
        StageResult result = StageResult.GoOn;
        while (result.GoesOn && MayGather(ref scan))
        {
            Client.Input.AdvanceTo(_received.Start, _received.End);
            ReadResult read = await Client.Input.ReadAsync().ConfigureAwait(false);
            _received = read.Buffer;
            ReceivedBytes = read.Buffer.Length;
            Head.SetBytes(read.Buffer.First);
            result = Interrupts.IsCut ? StageResult.Fail(Interrupts.CutReason)
                : read.IsCompleted ? StageResult.Fail(FaultReason.ClientGone)
                : Interrupts.HasTimedOut ? StageResult.Refuse(RefusalReason.BodyTooSlow)
                : StageResult.GoOn;
        }

        Interrupts.StopWaiting();
        return result;
    }

    /// <summary>Sends the head and what has arrived of the body. The pump sends the rest.</summary>
    /// <param name="upstream">The connection to the upstream.</param>
    /// <param name="credential">The credential to send with it; null for none.</param>
    /// <param name="redirectedTo">The path and query to send instead of the request's own; empty to keep its own.</param>
    /// <returns>A refusal if the first bytes of the body break a rule: then no byte of the request has been sent. Otherwise go on.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<StageResult> SendAsync(Connection upstream, CredentialLine? credential, ReadOnlyMemory<byte> redirectedTo)
    {
        Debug.Assert(IsHeld && !IsPumping, "A request is sent from its first byte.");
        _output = upstream.Output;
        StageResult written = Write(credential, redirectedTo, out ReadOnlyMemory<byte> tail);
        if (!written.GoesOn)
        {
            return written;
        }

        bool isWhole = Head.Framing.IsComplete || _relay.IsComplete;
        Client.Input.Watch(Interrupts, forBytes: false); // from now on, a disconnect of the client is noticed: the upstream may be slow to read
        ValueTask<FlushResult> sending = _output.WriteAsync(tail);
        bool waits = !sending.IsCompleted;
        if (waits)
        {
            Interrupts.Await(Wait.UpstreamWrite, Parts.Limits.WriteTimeout);
        }

        FlushResult flush = await sending.ConfigureAwait(false);
        _ = waits && Interrupts.StopWaiting();
        if (!isWhole && !flush.IsCompleted && !flush.IsCanceled)
        {
            StartPump();
            return StageResult.GoOn;
        }

        // A failed send does not end the exchange: if the upstream refused the request early, its response is on the way.
        State = isWhole && !flush.IsCanceled ? SendState.Done : SendState.Failed;
        ReleaseHalf();
        return StageResult.GoOn;
    }

    private StageResult Write(CredentialLine? credential, ReadOnlyMemory<byte> redirectedTo, out ReadOnlyMemory<byte> tail)
    {
        tail = default;
        RequestHead head = Head;
        var edits = new RequestEdits
        {
            ClientAddress = Client.RemoteAddress,
            IsTls = _owner!.Entrance.IsTls,
            RedirectedTo = redirectedTo.Span,
            DropsAuthorization = Parts.Credentials is not null || Parts.Tokens is { PassesAuthorization: false },
            CredentialLines = credential is null ? default : credential.Bytes.Span,
            AddedLines = Parts.AddedFields is { } added ? added.Lines : default,
        };
        Parts.RequestRewriter.Write(head, edits, _output!);
        _sentTo = _received.GetPosition(head.Length);
        if (head.Framing.IsComplete)
        {
            ReceivedBytes = head.Length;
            return StageResult.GoOn;
        }

        State = SendState.Body;
        BodyRelay relay = _relay;
        relay.Start(head.Framing, BodyRelay.SinkForm.AsReceived);
        ReadOnlySequence<byte> body = _received.Slice(_sentTo);
        bool isSound = body.IsEmpty || relay.Pump(body, _output!, out tail, out _sentTo);
        ReceivedBytes = head.Length + relay.MovedBytes;
        return isSound ? StageResult.GoOn : StageResult.Refuse(Refusal.ReasonFor(relay.Violation));
    }

    /// <summary>
    /// Called when the request has been sent, and when the response head has been forwarded. The second of these two calls releases the request's bytes.
    /// </summary>
    public void ReleaseHalf()
    {
        if (Interrupts.ReleaseHalf())
        {
            Client.Input.AdvanceTo(_sentTo);
            IsHeld = false;
        }
    }

    private void StartPump()
    {
        Credential.Note(this, Redirect.To);
        if (!Head.ExpectsContinue)
        {
            Interrupts.SayContinue();
        }

        Interrupts.FollowPump(_relay);
        Client.IsBulk = true;
        IsPumping = true;
        HasPumped = true;
#pragma warning disable CA2012 // Stored until the pump is joined, where it is awaited once.
        _pump = PumpAsync(_received.Slice(0, _sentTo).Length);
#pragma warning restore CA2012
    }

    /// <summary>
    /// Sends the rest of the body as it arrives. The main loop waits for the response meanwhile, so failures are reported to it through
    /// <see cref="Interrupts"/>.
    /// </summary>
    /// <param name="sent">How many bytes at the start of the buffer have been sent, including the head.</param>
    /// <returns>Whether the whole request has been sent.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> PumpAsync(long sent)
    {
        try
        {
            bool isSent = await SendRestAsync(sent).ConfigureAwait(false);
            EndPump(isSent);
            return isSent;
        }
        catch (Exception)
        {
            Interrupts.Cut(FaultReason.InternalError); // wakes the main loop, which gets the exception when it joins the pump
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> SendRestAsync(long sent)
    {
        BodyRelay relay = _relay;
        KeepOrLetGo(_received, _sentTo);
        while (!Interrupts.IsPumpStopped)
        {
            relay.EnterPhase(RelayPhase.Reading);
            ReadResult read = await Client.Input.ReadAsync().ConfigureAwait(false);
            Debug.Assert(!IsHeld || read.Buffer.Length >= sent, "Held bytes stay in the buffer.");
            ReadOnlySequence<byte> fresh = IsHeld ? read.Buffer.Slice(sent) : read.Buffer;
            _received = read.Buffer;
            if (!relay.Pump(fresh, _output!, out ReadOnlyMemory<byte> tail, out SequencePosition consumed))
            {
                Interrupts.RefuseBody(Refusal.ReasonFor(relay.Violation));
                return false;
            }

            if (relay.IsComplete)
            {
                Interrupts.SayLastBytes();
            }

            relay.EnterPhase(RelayPhase.Writing);
            FlushResult flush = await _output!.WriteAsync(tail).ConfigureAwait(false);
            sent += fresh.Slice(0, consumed).Length;
            _sentTo = consumed;
            if (IsHeld)
            {
                Head.SetBytes(read.Buffer.First); // the bytes may have been moved to a larger buffer
            }

            if (relay.IsComplete || flush.IsCompleted || flush.IsCanceled)
            {
                // An upstream that stopped reading may have answered already; then its response decides. A cancelled flush leaves unsent bytes behind, so
                // nothing may be sent after it.
                return relay.IsComplete && !flush.IsCanceled;
            }

            if (read.IsCompleted)
            {
                Interrupts.Cut(FaultReason.ClientGone);
                return false;
            }

            KeepOrLetGo(read.Buffer, consumed);
        }

        return false;
    }

    /// <summary>Records how the pump has ended. Its last step.</summary>
    private void EndPump(bool isSent)
    {
        ReceivedBytes = Head.Length + _relay.MovedBytes;
        State = isSent ? SendState.Done : SendState.Failed;
        Client.IsBulk = false;
        _relay.EnterPhase(RelayPhase.Resting);
        if (isSent)
        {
            ReleaseHalf();
        }
    }

    /// <summary>Releases the bytes that were sent. Bytes within the replay window are only marked as examined, so that they can be sent again.</summary>
    private void KeepOrLetGo(in ReadOnlySequence<byte> buffer, SequencePosition sentTo)
    {
        IsHeld = IsHeld && !Interrupts.IsHalfReleased && buffer.Length <= Parts.Limits.ReplayWindowBytes;
        Client.Input.AdvanceTo(IsHeld ? buffer.Start : sentTo, sentTo);
    }

    /// <summary>
    /// Waits until the pump has sent the last bytes of the request, although the response has arrived. After <see cref="LastBytesTimeout"/>, its write is
    /// cancelled.
    /// </summary>
    public async ValueTask JoinLastBytesAsync()
    {
        Debug.Assert(IsPumping, "There is a pump to join.");
        Interrupts.Await(Wait.LastBytes, LastBytesTimeout);
        await JoinPumpAsync().ConfigureAwait(false);
        if (!Interrupts.StopWaiting())
        {
            // The flush was cancelled, or the cancellation may still arrive: this upstream connection carries no other request.
            Interrupts.StopPump();
        }
    }

    /// <summary>Stops the pump if it still runs, because nothing needs the rest of the request any more.</summary>
    /// <returns>Whether the whole request has been sent.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    public async ValueTask<bool> StopPumpAsync()
    {
        if (IsPumping)
        {
            if (!_pump.IsCompleted)
            {
                Interrupts.StopPump();
            }

            await JoinPumpAsync().ConfigureAwait(false);
        }

        return State is SendState.Done;
    }

    private async ValueTask JoinPumpAsync()
    {
        ValueTask<bool> pump = _pump;
        _pump = default;
        try
        {
            await pump.ConfigureAwait(false);
        }
        finally
        {
            IsPumping = false; // even if the pump has thrown: it is awaited only once
        }
    }

    /// <summary>Copies the parts of the request that may be needed for a challenge. Allocates nothing.</summary>
    /// <param name="redirectedTo">The path and query of the redirect that was followed; empty if there was none.</param>
    /// <param name="caller">The caller's token; empty if there is none, or the credential does not depend on it.</param>
    public void Note(ReadOnlyMemory<byte> redirectedTo, ReadOnlySpan<byte> caller)
    {
        Debug.Assert(!IsPumping && IsHeld, "The head's bytes are there to be read.");
        _note.Take(Head, Parts.RequestRewriter, redirectedTo.Span, caller);
    }

    /// <summary>Releases the copied parts: the response is forwarded to the client, so no challenge needs them any more.</summary>
    public void Forget() => _note.Clear();

    /// <summary>Prepares to send the same bytes again.</summary>
    public void Rewind()
    {
        Debug.Assert(!IsPumping && IsHeld && State is SendState.Done, "Only a request that was sent completely and is still held is sent again.");
        State = SendState.Head;
        Interrupts.BeginSending();
    }

    /// <summary>
    /// Skips the request's bytes if all have arrived. Returns false otherwise: then the rest could be taken for the next request, so the connection must end.
    /// </summary>
    public bool TrySkip()
    {
        Debug.Assert(!IsPumping, "The pump is joined before its request is skipped.");
        if (State is not SendState.Head)
        {
            if (State is SendState.Done)
            {
                Client.Input.AdvanceTo(_sentTo);
            }

            return State is SendState.Done;
        }

        var scan = new BodyScan(Head);
        if (scan.Read(_received) is not true)
        {
            return false;
        }

        ReceivedBytes = scan.Length;
        Client.Input.AdvanceTo(_received.GetPosition(scan.Length));
        return true;
    }

    /// <summary>The raw JSON-RPC id of the request; empty if it is not known.</summary>
    public ReadOnlyMemory<byte> FindId() => !IsPumping && IsHeld && HasHead && !Head.Framing.IsComplete
        ? JsonRpcError.FindId(Head.Framing, _received.Slice(Head.Length))
        : default;

    /// <summary>Whether the whole request has arrived. Also true if its chunks are malformed, because waiting for more is useless then.</summary>
    public bool IsWhole()
    {
        var scan = new BodyScan(Head);
        return IsWhole(ref scan);
    }

    private bool MayGather(ref BodyScan scan)
    {
        int window = Parts.Limits.ReplayWindowBytes;
        bool fits = _received.Length < window && Head.Framing.DeclaredLength <= window - Head.Length;
        return fits && !Head.ExpectsContinue && !IsWhole(ref scan);
    }

    private bool IsWhole(ref BodyScan scan) => Head.Framing.Kind is FramingKind.Chunked
        ? scan.Read(_received) is not false
        : _received.Length - Head.Length >= Head.Framing.DeclaredLength;
}
