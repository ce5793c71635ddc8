using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// Reads the server's list of tools after the server has refused the headers of a tool call. The server does that if the bridge has seen no list
/// with the tool, or if the tool's schema has changed since (revision 2026-07-28, Streamable HTTP, "Client Behavior").
/// </summary>
/// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
/// <param name="transport">The transport that sends the call.</param>
internal sealed class ToolReading(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>The maximum number of pages of the list that are read for one call. Further pages are not read.</summary>
    private const int MaxPages = 50;

    /// <summary>Whether the server has refused a tool call's headers, and the list of tools has not been read for this call yet.</summary>
    public static bool IsWanted(ClientMessage message, ErrorAnswer error) =>
        error.Code == EraDetection.HeaderMismatch && message is { WereToolsRead: false, Head: { Kind: MessageKind.Request, Method: Methods.CallTool } };

    /// <summary>Reads the list page by page, until the last page, a page that cannot be read, or <see cref="MaxPages"/>.</summary>
    /// <param name="call">The tool call. Its bytes must not have been released.</param>
    public async Task RunAsync(ClientMessage call)
    {
        call.WereToolsRead = true;
        ReadOnlySequence<byte> cursor = default;
        for (int page = 0; page < MaxPages; page++)
        {
            ReadOnlySequence<byte> list = ToolListRequest.For(call.Bytes, cursor);
            if (await OwnExchange.SendAsync(parts, transport, list, Learn).ConfigureAwait(false) is not { Length: > 0 } next)
            {
                return;
            }

            cursor = new ReadOnlySequence<byte>(next);
        }
    }

    /// <summary>Learns from one page which arguments of its tools are sent in headers too.</summary>
    /// <returns>The cursor of the next page, as raw JSON; empty if there is no next page, or the cursor is too long.</returns>
    private byte[] Learn(ReadOnlySequence<byte> page)
    {
        parts.Delivery.LearnTools(page);
        return JsonSlice.Find(page, "result"u8) is { } result
            && JsonSlice.Find(result.Value, "nextCursor"u8) is { Kind: JsonTokenType.String, Value: { Length: <= BridgeLimits.MaxKeptBytes } cursor }
                ? cursor.ToArray()
                : [];
    }
}
