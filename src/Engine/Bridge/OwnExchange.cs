using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Sends messages that the bridge itself has made. The client does not get their answers.</summary>
internal static class OwnExchange
{
    /// <summary>Sends a message and waits for its answer.</summary>
    /// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
    /// <param name="transport">The transport that sends the message.</param>
    /// <param name="bytes">A JSON-RPC request or notification.</param>
    /// <param name="read">Reads the answer to a request: the server's, or an error of the bridge. The bytes are valid only during the call.</param>
    /// <returns>The result of <paramref name="read"/>; null for a notification, and if no answer was read.</returns>
    public static async Task<T?> SendAsync<T>(
        UpstreamParts parts, UpstreamTransport transport, ReadOnlySequence<byte> bytes, Func<ReadOnlySequence<byte>, T> read)
        where T : class
    {
        T? taken = null;
        var own = new OwnAnswer(answer => taken = read(answer));
        var buffer = new MessageBuffer();
        buffer.Add(bytes);
        using var message = new ClientMessage(buffer, MessageScanner.Scan(buffer.Bytes), parts.Ending, own)
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

        await (message.Requests.Count > 0 ? own.Over : Task.CompletedTask).ConfigureAwait(false);
        return taken;
    }
}
