using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>HTTP+SSE of 2024-11-05: one stream carries all that the server says, and its first event names where messages are posted.</summary>
internal sealed class SseTransport : UpstreamTransport
{
    /// <summary>How long the first event may take: a stream without it is another transport's.</summary>
    private static readonly TimeSpan EndpointTime = TimeSpan.FromSeconds(10);

    private readonly UpstreamParts _parts;
    private readonly Reachability _reachability;
    private readonly ReopenPause _reopening = new();

    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>The stream in use, or being opened; null before the first message.</summary>
    private SseLine? _line;

    /// <summary>A stream is opened once a pause is over. One pause at a time: each that ends without a stream is followed by another.</summary>
    private bool _isPausing;

    /// <summary>Cancelled to close the stream. It is not disposed of, as nothing in it needs that.</summary>
#pragma warning disable CA2213
    private readonly CancellationTokenSource _closing;
#pragma warning restore CA2213

    /// <summary>A stream has carried the answer to an <c>initialize</c>, so that a later one needs another.</summary>
    private volatile bool _isInitialized;

    public SseTransport(UpstreamParts parts)
    {
        _parts = parts;
        _reachability = new Reachability(parts.Settings);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(parts.Ending);
    }

    public override async Task<SendingEnd> SendAsync(ClientMessage message)
    {
        var patience = new RetryWindow(_parts.Settings, waitsForPerson: message.IsInitialize);
        while (true)
        {
            SseLine line = Open();
            SseOpening opening = await line.Ready.WaitAsync(message.Closing).ConfigureAwait(false);
            if (opening.Endpoint is { } endpoint)
            {
                if (await PostAsync(message, endpoint, patience).ConfigureAwait(false))
                {
                    await WaitForAnswerAsync(message, line).ConfigureAwait(false);
                    return SendingEnd.Over;
                }

                continue;
            }

            if (opening.IsSessionLost)
            {
                await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.SessionLost).ConfigureAwait(false);
                return SendingEnd.Over;
            }

            bool goesOn = opening.Error is { } failed
                ? await patience.PauseAsync(failed, message.Closing).ConfigureAwait(false)
                : await patience.PauseAsync(_parts.Settings.ReconnectTimeout, message.Closing).ConfigureAwait(false);
            if (!goesOn)
            {
                return await FailAsync(message, opening.Error).ConfigureAwait(false);
            }
        }
    }

    public override void OnInitialized(ClientMessage message, InitializeAnswer answer) => _isInitialized = true;

    public override Task EndAsync() => _closing.CancelAsync();

    private async Task<SendingEnd> FailAsync(ClientMessage message, ErrorAnswer? error)
    {
        if (error is null)
        {
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.ClosedEarly).ConfigureAwait(false);
        }
        else if (error is { IsJsonRpc: false, Status: < 500 and not 401 } && _parts.Settings.Transport is McpBridgeTransport.Auto && !_isInitialized)
        {
            return SendingEnd.Unsuitable;
        }
        else
        {
            await _parts.Delivery.FailAllAsync(message, error).ConfigureAwait(false);
        }

        return SendingEnd.Over;
    }

    /// <summary>The stream in use; a new one if the last has ended.</summary>
    private SseLine Open()
    {
        lock (_gate)
        {
            if (_line is { Ended.IsCompleted: false })
            {
                return _line;
            }

            _line = new SseLine();
            _ = RunAsync(_line, _closing.Token); // never throws
            return _line;
        }
    }

    /// <returns>False if it is to be tried again.</returns>
    private async Task<bool> PostAsync(ClientMessage message, Uri endpoint, RetryWindow patience)
    {
        if (!message.TryBeginSending())
        {
            return true; // cancelled meanwhile
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        request.Content = new MessageContent(message.Bytes);
        RequestFields.Add(request, RequestFields.For(message, isOfSession: true, _parts.Delivery.Tools));
        try
        {
            using HttpResponseMessage response = await _parts.SendAsync(request, message.Closing).ConfigureAwait(false);
            message.NoteTaken();
            if (response.IsSuccessStatusCode)
            {
                message.Release();
                if (message.Requests.Count == 0)
                {
                    message.Accept();
                }

                return true;
            }

            ErrorAnswer error = await ErrorAnswer.ReadAsync(response, _parts.Large, message.Closing).ConfigureAwait(false);
            message.EndSending();
            _reachability.Note(error);
            if (await patience.PauseAsync(error, message.Closing).ConfigureAwait(false))
            {
                return false;
            }

            await _parts.Delivery.FailAllAsync(message, error).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.ClosedEarly).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Waits until the message's requests have ended, or the stream that would carry the answers has.</summary>
    private async Task WaitForAnswerAsync(ClientMessage message, SseLine line)
    {
        if (message.IsOpen)
        {
            await Task.WhenAny(message.Answered, line.Ended).WaitAsync(message.Closing).ConfigureAwait(false);
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.AnswerCut).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a stream and reads it to its end; then another is opened, as long as that has a chance.</summary>
    private async Task RunAsync(SseLine line, CancellationToken closing)
    {
        SseOpening outcome = SseOpening.Cut;
        try
        {
            using HttpResponseMessage? response = await StreamOpening.GetAsync(_parts, null, null, closing).ConfigureAwait(false);
            if (response is { IsSuccessStatusCode: true } && AnswerBody.IsEventStream(response))
            {
                _reachability.Reached();
                await ReadAsync(line, response, closing).ConfigureAwait(false);
            }
            else if (response is not null)
            {
                ErrorAnswer error = await ErrorAnswer.ReadAsync(response, _parts.Large, closing).ConfigureAwait(false);
                _reachability.Note(error);
                outcome = SseOpening.Refused(error);
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or InvalidOperationException or OperationCanceledException)
        {
            // It is opened again.
        }
        catch (Exception bug)
        {
            _parts.Settings.Logger.BridgeFailed(bug);
        }

        outcome = line.IsSessionLost ? SseOpening.SessionLost : outcome;
        TimeSpan pause = line.Opening.IsCompleted ? _reopening.AfterStream(line.Retry, line.HasBrought) : _reopening.AfterFailure();
        line.End(outcome); // from here on a message may open the next
        if (!_isInitialized || closing.IsCancellationRequested)
        {
            return;
        }

        if (!outcome.IsFinal)
        {
            _ = OpenLaterAsync(pause, closing);
        }
        else if (outcome.Error is { } refusal)
        {
            _parts.Settings.Logger.StreamRefused(refusal.Status);
        }
    }

    /// <summary>Opens a stream for what the server says by itself, unless a message has done so.</summary>
    private async Task OpenLaterAsync(TimeSpan pause, CancellationToken closing)
    {
        lock (_gate)
        {
            if (_isPausing)
            {
                return;
            }

            _isPausing = true;
        }

        try
        {
            await Task.Delay(pause, _parts.Settings.Clock, closing).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // closed
        }

        lock (_gate)
        {
            _isPausing = false;
        }

        Open();
    }

    private async Task ReadAsync(SseLine line, HttpResponseMessage response, CancellationToken closing)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(closing);
        using ITimer patience = _parts.Settings.Clock.CreateTimer(
            state => CloseUnlessOpen((SseLine)state!, reading), line, EndpointTime, Timeout.InfiniteTimeSpan);
        Stream body = await response.Content.ReadAsStreamAsync(closing).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            using var events = new EventStreamReader(body, _parts.Large);
            try
            {
                await ReadAsync(line, events, reading).ConfigureAwait(false);
            }
            finally
            {
                line.Retry = events.Retry;
            }
        }
    }

    private async Task ReadAsync(SseLine line, EventStreamReader events, CancellationTokenSource reading)
    {
        while (await events.ReadAsync(reading.Token).ConfigureAwait(false) is { } next)
        {
            using MessageBuffer data = next.Data;
            if (next.IsTooLarge)
            {
                _parts.Settings.Logger.ServerMessageDropped(BridgeFault.For(BridgeFaultReason.AnswerTooLarge).Sentence);
            }
            else if (next.Name == "endpoint" && !line.Opening.IsCompleted)
            {
                line.Open(SseOpening.At(data.Bytes, _parts.Settings.Target) ?? throw new IOException("The address to post to is not the server's."));
                _ = GetReadyAsync(line, reading); // never throws
            }
            else if (next.Name == "message")
            {
                line.HasBrought |= line.Ready.IsCompleted;
                await _parts.Delivery.DeliverAsync(data.Bytes, carrier: null).ConfigureAwait(false);
            }
        }
    }

    private static void CloseUnlessOpen(SseLine line, CancellationTokenSource reading)
    {
        if (!line.Opening.IsCompleted)
        {
            Close(reading);
        }
    }

    private static void Close(CancellationTokenSource reading)
    {
        try
        {
            reading.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream has ended meanwhile.
        }
    }

    /// <summary>A stream after the first belongs to a new session, which is initialized before anything else is sent.</summary>
    private async Task GetReadyAsync(SseLine line, CancellationTokenSource reading)
    {
        SseOpening opening = await line.Opening.ConfigureAwait(false);
        if (_isInitialized && !await new SessionRecovery(_parts, new OnLine(this, line)).RunAsync().ConfigureAwait(false))
        {
            line.LoseSession();
            Close(reading);
            return;
        }

        line.GetReady(opening);
    }

    /// <summary>Sends what begins a session on the stream of that session, and on no other.</summary>
    private sealed class OnLine(SseTransport transport, SseLine line) : UpstreamTransport
    {
        public override async Task<SendingEnd> SendAsync(ClientMessage message)
        {
            SseOpening opening = await line.Opening.ConfigureAwait(false);
            var patience = new RetryWindow(transport._parts.Settings, waitsForPerson: false);
            while (opening.Endpoint is { } endpoint && !line.Ended.IsCompleted)
            {
                if (await transport.PostAsync(message, endpoint, patience).ConfigureAwait(false))
                {
                    await transport.WaitForAnswerAsync(message, line).ConfigureAwait(false);
                    break;
                }
            }

            return SendingEnd.Over;
        }

        public override void OnInitialized(ClientMessage message, InitializeAnswer answer)
        {
            // It was before.
        }

        public override Task EndAsync() => Task.CompletedTask;
    }
}
