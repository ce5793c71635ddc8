using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// Reads the lists of tools for a call whose field lines the server has not accepted: no list that was seen has named the tool, or its schema has changed
/// (revision 2026-07-28, Streamable HTTP, "Client Behavior").
/// </summary>
/// <param name="parts">What the conversation shares with its transports.</param>
/// <param name="transport">What sends the call.</param>
internal sealed class ToolReading(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>Most pages that are read for one call.</summary>
    private const int MaxPages = 50;

    /// <summary>Whether a refused message is such a call, and has not been sent again for it.</summary>
    public static bool IsWanted(ClientMessage message, ErrorAnswer error) =>
        error.Code == EraDetection.HeaderMismatch && message is { WereToolsRead: false, Head: { Kind: MessageKind.Request, Method: Methods.CallTool } };

    /// <summary>Reads them, as far as they can be had.</summary>
    /// <param name="call">The call, whose bytes have not been released.</param>
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

    /// <summary>Learns from a page.</summary>
    /// <returns>The cursor of the next page, as raw JSON; empty where there is none, or none that is taken.</returns>
    private byte[] Learn(ReadOnlySequence<byte> page)
    {
        parts.Delivery.LearnTools(page);
        return JsonSlice.Find(page, "result"u8) is { } result
            && JsonSlice.Find(result.Value, "nextCursor"u8) is { Kind: JsonTokenType.String, Value: { Length: <= BridgeLimits.MaxKeptBytes } cursor }
                ? cursor.ToArray()
                : [];
    }
}
