using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>
/// The transport HTTP+SSE of revision 2024-11-05. One event stream carries all messages from the server. Its first event names the URL that the client's
/// messages are posted to.
/// </summary>
internal sealed class SseTransport : UpstreamTransport
{
    /// <summary>How long to wait for the event <c>endpoint</c>, which names the URL. A stream without it is not one of HTTP+SSE, and is closed.</summary>
    private static readonly TimeSpan EndpointTime = TimeSpan.FromSeconds(10);

    private readonly UpstreamParts _parts;
    private readonly Reachability _reachability;
    private readonly ReopenPause _reopening = new();

    /// <summary>Guards <see cref="_line"/> and <see cref="_isPausing"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>The stream that is open or being opened, or the last one if that has ended; null before the first message.</summary>
    private SseLine? _line;

    /// <summary>Whether a pause is running, after which a stream is opened. There is at most one such pause at a time.</summary>
    private bool _isPausing;

    /// <summary>Cancelled to close the stream, also when the conversation ends. It is not disposed of, since the stream may still use it then.</summary>
#pragma warning disable CA2213
    private readonly CancellationTokenSource _closing;
#pragma warning restore CA2213

    /// <summary>Whether a stream has carried the result of an <c>initialize</c>. If so, each later stream needs a new <c>initialize</c>.</summary>
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

    /// <summary>Returns the current stream, or starts a new one if there is none or the last one has ended.</summary>
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

    /// <returns>False if the message is to be sent again.</returns>
    private async Task<bool> PostAsync(ClientMessage message, Uri endpoint, RetryWindow patience)
    {
        if (!message.TryBeginSending())
        {
            return true; // the message was cancelled meanwhile
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

    /// <summary>Waits until the message's requests have ended, or the stream that carries the answers has. Then open requests get an error.</summary>
    private async Task WaitForAnswerAsync(ClientMessage message, SseLine line)
    {
        if (message.IsOpen)
        {
            await Task.WhenAny(message.Answered, line.Ended).WaitAsync(message.Closing).ConfigureAwait(false);
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.AnswerCut).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a stream and reads it to its end. If the client is initialized, then opens another after a pause, unless the server refuses.</summary>
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
            // The stream was lost. If the client is initialized, another one is opened below.
        }
        catch (Exception bug)
        {
            _parts.Settings.Logger.BridgeFailed(bug);
        }

        outcome = line.IsSessionLost ? SseOpening.SessionLost : outcome;
        TimeSpan pause = line.Opening.IsCompleted ? _reopening.AfterStream(line.Retry, line.HasBrought) : _reopening.AfterFailure();
        line.End(outcome); // from now on, the next message that is to be sent opens a new stream
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

    /// <summary>Opens a stream after a pause, unless a message has opened one. So the server can send messages even if the client sends none.</summary>
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
            return; // the transport was closed
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
                await _parts.Delivery.DropAsync(next).ConfigureAwait(false);
            }
            else if (next.Name == "endpoint" && !line.Opening.IsCompleted)
            {
                line.Open(SseOpening.At(data.Bytes, _parts.Settings.Target) ?? throw new IOException(
                    "The server's endpoint event names a URL of another origin, to which the bridge sends nothing."));
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

    /// <summary>Makes a stream ready for the client's messages. Each stream after the first is a new session, which is initialized again here.</summary>
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

    /// <summary>Sends the messages that initialize a session, and waits for their answers on the stream of that session only.</summary>
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
            // Nothing to note: the transport knows already that the client is initialized.
        }

        public override Task EndAsync() => Task.CompletedTask;
    }
}
