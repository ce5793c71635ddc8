using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Serving;

/// <summary>The request's way, client to upstream.</summary>
/// <remarks>
/// A request that is small stays in the receive buffer until the response head is seen (the replay window), so that it can be sent again. A body that has
/// not come whole is sent as it comes by a pump beside the main loop, which meanwhile waits for the response.
/// </remarks>
internal sealed partial class ClientConnection
{
    /// <summary>How long an answer that is here waits for the last bytes of its request; an upstream that answers early may never take them.</summary>
    private static readonly TimeSpan LastBytesTimeout = TimeSpan.FromMilliseconds(200);

    private BodyRelay? _requestRelay;
    private volatile Task? _pump;
    private SequencePosition _requestEnd;
    private volatile SendState _sendState;
    private volatile bool _isHeld;
    private volatile bool _responseBegan;
    private int _requestReleases;
    private int _emptyLines;
    private byte[]? _authorityCopy;

    /// <summary>Sends the head and what there is of the body; the rest is pumped.</summary>
    /// <returns>Why the body is refused, where its first bytes break a rule. Then no byte of the request has left.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<RefusalReason> SendRequestAsync()
    {
        _attempts++;
        _isUpstreamReused = _upstream!.IsReused;
        PipeWriter output = _upstream!.Connection.Output;
        RefusalReason refused = WriteRequest(output, out ReadOnlyMemory<byte> tail);
        if (refused is not RefusalReason.None)
        {
            return refused;
        }

        bool isWhole = _request!.Framing.IsComplete || _requestRelay!.IsComplete;
        if (isWhole || _client.Input.CanBeWatchedWhileRead)
        {
            StartWatch(); // the upstream may take its time to read this
        }

        Await(Wait.UpstreamWrite, _parts.Limits.WriteTimeout);
        FlushResult flush = await output.WriteAsync(tail).ConfigureAwait(false);
        StopWaiting();
        if (!isWhole && !flush.IsCompleted && !flush.IsCanceled)
        {
            StartPump();
            return RefusalReason.None;
        }

        // A failed send is not the end: an upstream that refused the request early has its answer on the way.
        _sendState = isWhole && !flush.IsCanceled ? SendState.Done : SendState.Failed;
        StartWatch();
        ReleaseRequest();
        return RefusalReason.None;
    }

    private RefusalReason WriteRequest(PipeWriter output, out ReadOnlyMemory<byte> tail)
    {
        tail = default;
        _requestReleases = 0;
        _responseBegan = false;
        _isHeld = true;
        RequestHead request = _request!;
        var edits = new RequestEdits
        {
            ClientAddress = _client.RemoteAddress,
            IsTls = _entrance.IsTls,
            RedirectedTo = _redirectedTo,
            DropsAuthorization = _parts.Credentials is not null || _parts.Tokens is { PassesAuthorization: false },
            CredentialLines = _credential is null ? default : _credential.Bytes.Span,
        };
        _parts.RequestRewriter.Write(request, edits, output);
        _requestEnd = _received.GetPosition(request.Length);
        if (request.Framing.IsComplete)
        {
            return RefusalReason.None;
        }

        _sendState = SendState.Body;
        BodyRelay relay = _requestRelay ??= new BodyRelay();
        relay.Start(request.Framing, BodyRelay.SinkForm.AsReceived, _parts.Limits.MaxRequestBodyBytes, _parts.Limits.MaxChunkOverheadBytes);
        ReadOnlySequence<byte> body = _received.Slice(_requestEnd);
        return body.IsEmpty || relay.Pump(body, output, out tail, out _requestEnd) ? RefusalReason.None : relay.Reason;
    }

    private void StartPump()
    {
        _requestProgress.Start(_parts.Heartbeat.Now, _requestRelay!.Steps);
        _authorityCopy = _request!.Authority.ToArray(); // the pump may let the head's bytes go at any time
        _client.IsBulk = true;
        _pump = Task.CompletedTask; // the wakers must know of the pump before its first read
        _pump = PumpAsync(_received.Slice(0, _requestEnd).Length);
    }

    /// <summary>Sends the rest of the body as it comes.</summary>
    /// <param name="sent">Bytes at the start of the buffer that have been sent, the head included.</param>
    private async Task PumpAsync(long sent)
    {
        PipeReader input = _client.Input;
        PipeWriter output = _upstream!.Connection.Output;
        BodyRelay relay = _requestRelay!;
        KeepOrLetGo(_received, _received.End);
        while (CutReason is FaultReason.None && RefusedBody is RefusalReason.None)
        {
            relay.EnterPhase(RelayPhase.Reading);
            ReadResult read = await input.ReadAsync().ConfigureAwait(false);
            if (_isHeld && read.Buffer.Length < sent)
            {
                Cut(FaultReason.ClientGone); // a pipe that broke off shows nothing any more, not even what was held
                break;
            }

            ReadOnlySequence<byte> fresh = _isHeld ? read.Buffer.Slice(sent) : read.Buffer;
            bool sound = relay.Pump(fresh, output, out ReadOnlyMemory<byte> tail, out SequencePosition consumed);
            if (!sound)
            {
                RefuseBody(relay.Reason);
                break;
            }

            if (relay.IsComplete)
            {
                _sendState = SendState.LastBytes; // said before they leave: the answer may come on another thread before this one goes on
            }

            relay.EnterPhase(RelayPhase.Writing);
            FlushResult flush = await output.WriteAsync(tail).ConfigureAwait(false);
            sent += fresh.Slice(0, consumed).Length;
            _received = read.Buffer;
            _requestEnd = consumed;
            if (_isHeld)
            {
                _request!.Show(Contiguous(read.Buffer)); // the bytes may have moved to a larger buffer
            }

            if (relay.IsComplete)
            {
                // A write that was cancelled has left bytes behind: nothing may follow them.
                _sendState = flush.IsCanceled ? SendState.Failed : SendState.Done;
                StartWatch();
                ReleaseRequest();
                break;
            }

            if (flush.IsCompleted)
            {
                // The upstream takes no more: its answer decides. The client is watched in the pump's place.
                _sendState = SendState.Failed;
                StartWatch();
                break;
            }

            if (read.IsCompleted)
            {
                Cut(FaultReason.ClientGone);
                break;
            }

            KeepOrLetGo(read.Buffer, consumed);
        }

        _client.IsBulk = false;
        relay.EnterPhase(RelayPhase.Resting);
    }

    /// <summary>Advances past what was sent: for good, or, within the replay window, only as far as waiting for more needs.</summary>
    private void KeepOrLetGo(in ReadOnlySequence<byte> buffer, SequencePosition sentTo)
    {
        // A host's pipe may stop its writer when too much is unconsumed: its share is smaller.
        const int hostPipeWindow = 16 * 1024;
        int window = _client.Loop is null ? Math.Min(hostPipeWindow, _parts.Limits.ReplayWindowBytes) : _parts.Limits.ReplayWindowBytes;
        _isHeld = _isHeld && !_responseBegan && buffer.Length <= window;
        _client.Input.AdvanceTo(_isHeld ? buffer.Start : sentTo, sentTo);
    }

    /// <summary>Called once when the request has been sent whole and once when the response head has been forwarded; the second lets the bytes go.</summary>
    private void ReleaseRequest()
    {
        if (Interlocked.Increment(ref _requestReleases) == 2)
        {
            _client.Input.AdvanceTo(_requestEnd);
        }
    }

    /// <summary>Watches the client while nobody reads from it.</summary>
    private void StartWatch() => _client.Input.Watch(this, forBytes: false);

    /// <summary>The answer is here while the pump has the last bytes in hand: nearly always they have left, and it is about to stop.</summary>
    private async ValueTask JoinLastBytesAsync(Task pump)
    {
        Await(Wait.LastBytes, LastBytesTimeout);
        await pump.ConfigureAwait(false);
        StopWaiting();
        _pump = null;
        if (_timedOut)
        {
            _sendState = SendState.Failed; // the upstream answered early, and takes no more
        }
    }

    /// <summary>Waits for the pump to stop. Where the response is over first, the rest of the request is not waited for.</summary>
    /// <returns>Whether nothing of the request is still to come.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> JoinPumpAsync()
    {
        if (_pump is not { } pump)
        {
            return _sendState is not (SendState.Body or SendState.Failed);
        }

        if (_sendState is not SendState.Done && !pump.IsCompleted)
        {
            RefuseBody(RefusalReason.BodyTooSlow);
        }

        await pump.ConfigureAwait(false);
        _pump = null;
        if (RefusedBody is not RefusalReason.None)
        {
            _sendState = SendState.Failed; // whatever it got done meanwhile: a wait of the upstream's may still find itself cancelled
        }

        return _sendState is SendState.Done;
    }
}
