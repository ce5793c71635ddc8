using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>The stream that answers one message. If it breaks off, or the server ends it to be asked again, the rest of it is fetched.</summary>
/// <param name="parts">What the conversation shares with its transports.</param>
/// <param name="message">The message.</param>
/// <param name="session">The session that it belongs to.</param>
internal sealed class AnswerStream(UpstreamParts parts, ClientMessage message, Session session)
{
    private readonly RetryWindow _patience = new(parts.Settings, waitsForPerson: false);
    private readonly ReopenPause _reopening = new();

    /// <summary>The last event that has come; null if none had an id, so that nothing can be fetched.</summary>
    private string? _lastId;

    /// <summary>The pause before the rest is asked for.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>Something came that is no message: it may have been the answer.</summary>
    private bool _wasBroken;

    /// <summary>The stream that was read last has brought something.</summary>
    private bool _hasBrought;

    /// <summary>The revision is one without resumption: a message of its own has the revision in itself.</summary>
    private bool CanResume => _lastId is not null && (message.IsInitialize || message.Head.ProtocolVersion is null);

    /// <summary>Passes on what comes, until every request of the message has ended or nothing more can come.</summary>
    /// <param name="response">Its head has come.</param>
    public async Task RunAsync(HttpResponseMessage response)
    {
        await ReadAsync(response).ConfigureAwait(false);
        while (!message.IsGivenUp && CanResume && (_hasBrought || !_wasBroken))
        {
            await Task.Delay(_pause, parts.Settings.Clock, message.Closing).ConfigureAwait(false);
            if (!await ResumeAsync().ConfigureAwait(false))
            {
                break;
            }
        }

        await parts.Delivery.FailAllAsync(message, _wasBroken ? BridgeFaultReason.AnswerInvalid : BridgeFaultReason.AnswerCut).ConfigureAwait(false);
    }

    /// <summary>Fetches what follows the last event.</summary>
    /// <returns>Whether it may be tried again, if the answer is still missing.</returns>
    private async Task<bool> ResumeAsync()
    {
        using HttpResponseMessage? response = await StreamOpening.GetAsync(parts, session, _lastId, message.Closing).ConfigureAwait(false);
        if (response is { IsSuccessStatusCode: true } && AnswerBody.IsEventStream(response))
        {
            _patience.Restart();
            await ReadAsync(response).ConfigureAwait(false);
            return true;
        }

        if (response is null)
        {
            // Cut without a word: the server is on its way down, or up.
            return await _patience.PauseAsync(parts.Settings.ReconnectTimeout, message.Closing).ConfigureAwait(false);
        }

        ErrorAnswer error = await ErrorAnswer.ReadAsync(response, parts.Large, message.Closing).ConfigureAwait(false);
        bool passes = error.Status is 429 or 502 or 503 or 504; // a server, or what stands before it, on its way down, or up
        if (passes && await _patience.PauseAsync(parts.Settings.ReconnectTimeout, message.Closing).ConfigureAwait(false))
        {
            return true;
        }

        if (error.IsNotConnected)
        {
            await parts.Delivery.FailAllAsync(message, error).ConfigureAwait(false);
        }

        return false;
    }

    private async Task ReadAsync(HttpResponseMessage response)
    {
        using var tail = CancellationTokenSource.CreateLinkedTokenSource(message.Closing);
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(message.Closing).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                using var events = new EventStreamReader(body, new AnswerBound(parts, message));
                await ReadAsync(events, tail).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!message.Closing.IsCancellationRequested)
        {
            // What follows an answer has had its time.
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or InvalidOperationException)
        {
            // It broke off: what has come has been passed on, and the rest may be fetched.
        }
    }

    private async Task ReadAsync(EventStreamReader events, CancellationTokenSource tail)
    {
        bool isTail = false;
        _hasBrought = false;
        try
        {
            while (await events.ReadAsync(tail.Token).ConfigureAwait(false) is { } next)
            {
                using MessageBuffer data = next.Data;
                _hasBrought = true;
                if (next.IsTooLarge)
                {
                    parts.Settings.Logger.ServerMessageDropped(BridgeFault.For(BridgeFaultReason.AnswerTooLarge).Sentence);
                    if (message.Head.Method != Methods.Listen)
                    {
                        // It may have been the answer, which then never comes.
                        await parts.Delivery.FailAllAsync(message, BridgeFaultReason.AnswerTooLarge).ConfigureAwait(false);
                    }
                }
                else if (next.Name == "message")
                {
                    _wasBroken |= !await parts.Delivery.DeliverAsync(data.Bytes, message).ConfigureAwait(false);
                }

                if (!isTail && !message.IsOpen)
                {
                    isTail = true;
                    tail.CancelAfter(BridgeLimits.TailTime);
                }
            }
        }
        finally
        {
            _lastId = events.LastId ?? _lastId;
            _pause = _reopening.AfterStream(events.Retry, _hasBrought);
        }
    }
}
