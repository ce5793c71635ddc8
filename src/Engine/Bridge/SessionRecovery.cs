using System.Buffers;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Makes a new session by the client's own words, and tells the client what may have changed.</summary>
/// <param name="parts">The conversation's.</param>
/// <param name="transport">What has lost its session.</param>
internal sealed class SessionRecovery(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>Initializes again, and makes the client's subscriptions again.</summary>
    /// <returns>Whether there is a session.</returns>
    public async Task<bool> RunAsync()
    {
        try
        {
            ClientMemory memory = parts.Delivery.Memory;
            if (memory.Initialize is not { } initialize || await SendAsync(initialize).ConfigureAwait(false) is not { Kind: MessageKind.Response })
            {
                parts.Settings.Logger.SessionLost();
                return false;
            }

            foreach (byte[] message in memory.BehindInitialize())
            {
                await SendAsync(message).ConfigureAwait(false);
            }

            parts.Settings.Logger.SessionMadeAnew();
            foreach (string changed in memory.IsInitialized ? memory.ChangingLists : [])
            {
                await parts.Delivery.SendToClientAsync(new ReadOnlySequence<byte>(ErrorMessage.Notification(changed))).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception bug)
        {
            parts.Settings.Logger.BridgeFailed(bug);
            return false;
        }
    }

    /// <summary>Sends a message of the bridge's own.</summary>
    /// <returns>What its answer is; null where there was none.</returns>
    private async Task<MessageHead?> SendAsync(byte[] bytes)
    {
        var buffer = new MessageBuffer();
        buffer.Add(bytes);
        using var message = new ClientMessage(buffer, MessageScanner.Scan(buffer.Bytes), isOwn: true, parts.Ending) { WasSentAgain = true, Transport = transport };
        OpenRequests open = parts.Delivery.Open;
        if (message.Head is { Kind: MessageKind.Request, Id: { } id })
        {
            var request = new OpenRequest(id, message.Head.Method, message);
            message.Requests = [request];
            if (open.TryOpen(request) is not null)
            {
                return null;
            }
        }

        try
        {
            await transport.SendAsync(message).ConfigureAwait(false);
        }
        finally
        {
            await parts.Delivery.FailAllAsync(message, BridgeFaultReason.AnswerMissing).ConfigureAwait(false);
        }

        return message.Requests.Count > 0 && await message.OwnAnswer.ConfigureAwait(false) is { } answer ? MessageScanner.Scan(answer) : null;
    }
}
