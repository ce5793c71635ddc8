using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// Reads the server's lists of tools after the server has refused the headers of a tool call: the tool was in no list so far, or its schema has changed since
/// (revision 2026-07-28, Streamable HTTP, "Client Behavior").
/// </summary>
/// <param name="parts">What the conversation shares with its transports.</param>
/// <param name="transport">The transport that sends the call.</param>
internal sealed class ToolReading(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>The maximum number of pages of the list that are read for one call.</summary>
    private const int MaxPages = 50;

    /// <summary>Whether the server has refused a tool call's headers, and the lists have not been read for this call yet.</summary>
    public static bool IsWanted(ClientMessage message, ErrorAnswer error) =>
        error.Code == EraDetection.HeaderMismatch && message is { WereToolsRead: false, Head: { Kind: MessageKind.Request, Method: Methods.CallTool } };

    /// <summary>Reads the lists, page by page, until the last page or a page that cannot be read.</summary>
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

    /// <summary>Reads the tools of one page.</summary>
    /// <returns>The cursor of the next page, as raw JSON; empty if there is none, or it is too long.</returns>
    private byte[] Learn(ReadOnlySequence<byte> page)
    {
        parts.Delivery.LearnTools(page);
        return JsonSlice.Find(page, "result"u8) is { } result
            && JsonSlice.Find(result.Value, "nextCursor"u8) is { Kind: JsonTokenType.String, Value: { Length: <= BridgeLimits.MaxKeptBytes } cursor }
                ? cursor.ToArray()
                : [];
    }
}
