using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Messages of the bridge's own, whose answers go to nobody else.</summary>
internal static class OwnExchange
{
    /// <summary>Sends one.</summary>
    /// <param name="parts">The conversation's.</param>
    /// <param name="transport">What sends it.</param>
    /// <param name="bytes">A request or notification.</param>
    /// <returns>The answer to a request; null where there was none.</returns>
    public static async Task<byte[]?> SendAsync(UpstreamParts parts, UpstreamTransport transport, ReadOnlySequence<byte> bytes)
    {
        var buffer = new MessageBuffer();
        buffer.Add(bytes);
        using var message = new ClientMessage(buffer, MessageScanner.Scan(buffer.Bytes), isOwn: true, parts.Ending)
        {
            WasSentAgain = true,
            Transport = transport,
        };
        Debug.Assert(message.Head.IsCall, "The bridge sends requests and notifications.");
        if (message.Head is { Kind: MessageKind.Request, Id: { } id })
        {
            var request = new OpenRequest(id, message.Head.Method, message);
            message.Requests = [request];
            if (parts.Delivery.Open.TryOpen(request) is not null)
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

        return message.Requests.Count > 0 ? await message.OwnAnswer.ConfigureAwait(false) : null;
    }
}
