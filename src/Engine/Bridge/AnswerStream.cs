using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>
/// Reads the event stream that answers one message. If the stream breaks off, or the server closes it so that the client polls, the rest is fetched with a GET.
/// </summary>
/// <param name="parts">What the conversation shares with its transports.</param>
/// <param name="message">The message that the stream answers.</param>
/// <param name="session">The session that the message belongs to.</param>
internal sealed class AnswerStream(UpstreamParts parts, ClientMessage message, Session session)
{
    private readonly RetryWindow _patience = new(parts.Settings, waitsForPerson: false);
    private readonly ReopenPause _reopening = new();

    /// <summary>The id of the last event that has come; null if no event had an id. Then nothing can be fetched.</summary>
    private string? _lastId;

    /// <summary>How long to wait before the rest is fetched.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>Whether an event was not a JSON-RPC message. It may have been the answer.</summary>
    private bool _wasBroken;

    /// <summary>Whether the stream that was read last had at least one event.</summary>
    private bool _hasBrought;

    /// <summary>
    /// Whether the rest can be fetched: an event had an id, and the message is of a revision with sessions. Revision 2026-07-28 cannot resume a stream; its
    /// messages name their revision in <c>_meta</c>.
    /// </summary>
    private bool CanResume => _lastId is not null && (message.IsInitialize || message.Head.ProtocolVersion is null);

    /// <summary>Passes on what the server sends, until every request of the message has ended or nothing more can come.</summary>
    /// <param name="response">A response whose head has been received.</param>
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
    /// <returns>Whether to fetch again if the answer is still missing.</returns>
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
            // The connection ended without a response: the server may be stopping or starting.
            return await _patience.PauseAsync(parts.Settings.ReconnectTimeout, message.Closing).ConfigureAwait(false);
        }

        ErrorAnswer error = await ErrorAnswer.ReadAsync(response, parts.Large, message.Closing).ConfigureAwait(false);
        bool passes = error.Status is 429 or 502 or 503 or 504; // the server, or a gateway in front of it, may be stopping or starting
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
            // The answer has come, and TailTime has passed since.
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or InvalidOperationException)
        {
            // The stream broke off. What has come has been passed on, and the rest may be fetched.
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
                        // The dropped event may have been the answer, and then no other comes.
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
