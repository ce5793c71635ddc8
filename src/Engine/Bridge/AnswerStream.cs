using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>
/// Reads the event stream that answers one message. If the stream ends before the answer has come, the rest is fetched with a GET. The stream may have broken
/// off, or the server may have closed it so that the client polls.
/// </summary>
/// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
/// <param name="message">The message that the stream answers.</param>
/// <param name="session">The session that the message belongs to.</param>
internal sealed class AnswerStream(UpstreamParts parts, ClientMessage message, Session session)
{
    private readonly StreamResumption _rest = new(parts.Settings.ReconnectTimeout, parts.Settings.Clock);

    /// <summary>
    /// Passes the server's messages on to the client. Ends when all requests of the message have ended, at the latest <see cref="BridgeLimits.TailTime"/> after
    /// that, or when the rest of the stream cannot be fetched. Then the requests that are still open get an error.
    /// </summary>
    /// <param name="response">A response whose head has been received.</param>
    public async Task RunAsync(HttpResponseMessage response)
    {
        await ReadAsync(response).ConfigureAwait(false);
        while (!message.IsGivenUp && !message.Head.IsWithoutSession && _rest.IsPossible)
        {
            await _rest.PauseAsync(message.Closing).ConfigureAwait(false);
            if (!await ResumeAsync().ConfigureAwait(false))
            {
                break;
            }
        }

        await parts.Delivery.FailAllAsync(message, _rest.WasBroken ? BridgeFaultReason.AnswerInvalid : BridgeFaultReason.AnswerCut).ConfigureAwait(false);
    }

    /// <summary>Fetches the events that follow the last one that was received.</summary>
    /// <returns>Whether to fetch again if the answer is still missing.</returns>
    private async Task<bool> ResumeAsync()
    {
        using HttpResponseMessage? response = await StreamOpening.GetAsync(parts, session, _rest.LastId, message.Closing).ConfigureAwait(false);
        if (response is { IsSuccessStatusCode: true } && AnswerBody.IsEventStream(response))
        {
            _rest.NoteOpened();
            await ReadAsync(response).ConfigureAwait(false);
            return true;
        }

        ErrorAnswer? error = response is null ? null : await ErrorAnswer.ReadAsync(response, parts.Large, message.Closing).ConfigureAwait(false);
        if (await _rest.MayTryAgainAsync(error?.Status, message.Closing).ConfigureAwait(false))
        {
            return true;
        }

        if (error is { IsNotConnected: true })
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
            // The answer came more than TailTime ago, so the stream is not read any further.
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or InvalidOperationException)
        {
            // The stream broke off. The complete events have been passed on. RunAsync fetches the rest if that is possible.
        }
    }

    private async Task ReadAsync(EventStreamReader events, CancellationTokenSource tail)
    {
        bool isTail = false;
        bool hasBrought = false;
        try
        {
            while (await events.ReadAsync(tail.Token).ConfigureAwait(false) is { } next)
            {
                using MessageBuffer data = next.Data;
                hasBrought = true;
                if (next.IsTooLarge)
                {
                    await parts.Delivery.DropAsync(next).ConfigureAwait(false);
                    if (next.AnswerId is null && message.Head.Method != Methods.Listen)
                    {
                        // The dropped event may have been the answer. Then no other answer would come, so the requests get an error now.
                        await parts.Delivery.FailAllAsync(message, BridgeFaultReason.AnswerTooLarge).ConfigureAwait(false);
                    }
                }
                else if (next.Name == "message")
                {
                    _rest.WasBroken |= !await parts.Delivery.DeliverAsync(data.Bytes, message).ConfigureAwait(false);
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
            _rest.NoteEnd(events, hasBrought);
        }
    }
}
