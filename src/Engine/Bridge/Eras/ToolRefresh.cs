using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// Reads the lists of tools anew for a call that the server has refused because its headers did not match: the client has called a tool that no list seen
/// here has named, or whose schema has changed (revision 2026-07-28, Streamable HTTP, "Client Behavior").
/// </summary>
internal sealed class ToolRefresh
{
    /// <summary>Most pages of a list that are read for one call.</summary>
    public const int MaxPages = 50;

    /// <summary>Makes the requests.</summary>
    private readonly ModernMessages _messages;

    /// <summary>What is known of tools.</summary>
    private readonly ToolList _tools;

    /// <summary>Calls that wait for a page, by the page's request.</summary>
    private readonly Dictionary<MessageId, (OpenRequest Call, int Page)> _waiting = [];

    public ToolRefresh(ModernMessages messages, ToolList tools)
    {
        _messages = messages;
        _tools = tools;
    }

    /// <summary>Whether an answer is such a refusal, and the first one of its call.</summary>
    public static bool IsWanted(OpenRequest open, MessageHead answer) =>
        answer is { Kind: MessageKind.ErrorResponse, ErrorCode: EraDetection.HeaderMismatch }
        && open is { HasRefreshed: false, Sent.Head.Method: Methods.CallTool };

    /// <summary>Whether a request is one for a page.</summary>
    public bool Owns(MessageId request) => _waiting.ContainsKey(request);

    /// <summary>Asks for the first page.</summary>
    /// <returns>The request that the call waits for.</returns>
    public MessageId Start(OpenRequest call, List<EraAction> actions)
    {
        call.HasRefreshed = true;
        return Ask(call, 1, [], actions);
    }

    /// <summary>Takes a page, and asks for the next.</summary>
    /// <returns>The call, where it can be sent again: the list is read, or cannot be.</returns>
    public OpenRequest? TryTake(MessageId request, in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        if (!_waiting.Remove(request, out (OpenRequest Call, int Page) waiting))
        {
            return null;
        }

        if (head.Kind is MessageKind.Response)
        {
            _tools.Learn(message);
            if (waiting.Page < MaxPages && NextCursor(message) is { } cursor)
            {
                waiting.Call.Upstream = Ask(waiting.Call, waiting.Page + 1, [new JsonSlice("cursor", cursor, JsonTokenType.String)], actions);
                return null;
            }
        }

        return waiting.Call;
    }

    /// <summary>Nobody waits any more for what was asked.</summary>
    public void Forget(MessageId request) => _waiting.Remove(request);

    private MessageId Ask(OpenRequest call, int page, IReadOnlyList<JsonSlice> parameters, List<EraAction> actions)
    {
        ToServer list = _messages.Own(Methods.ListTools, parameters);
        _waiting.Add(list.Id!.Value, (call, page));
        actions.Add(list);
        return list.Id.Value;
    }

    private static ReadOnlySequence<byte>? NextCursor(in ReadOnlySequence<byte> page) =>
        JsonSlice.Find(page, "result"u8) is { } result && JsonSlice.Find(result.Value, "nextCursor"u8) is { Kind: JsonTokenType.String } cursor
            ? cursor.Value
            : null;
}
