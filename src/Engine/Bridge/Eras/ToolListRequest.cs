using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Makes a <c>tools/list</c> of our own.</summary>
internal static class ToolListRequest
{
    /// <summary>A list request on behalf of a tool call: with the call's <c>_meta</c>, except for what belongs to that call alone.</summary>
    /// <param name="call">The call.</param>
    /// <param name="cursor">The page, as raw JSON; empty for the first.</param>
    public static ReadOnlySequence<byte> For(in ReadOnlySequence<byte> call, ReadOnlySequence<byte> cursor)
    {
        List<JsonSlice>? meta = JsonSlice.Find(call, "params"u8) is { } parameters && JsonSlice.Find(parameters.Value, "_meta"u8) is { } found
            ? JsonSlice.Members(found.Value)
            : null;
        return OwnMessages.Build(1024, json =>
        {
            OwnMessages.Open(json);
            OwnMessages.WriteId(json, MessageId.Of($"mcpproxyfast-{Guid.NewGuid():N}"));
            json.WriteString("method"u8, Methods.ListTools);
            json.WriteStartObject("params"u8);
            json.WriteStartObject("_meta"u8);
            OwnMessages.WriteMembers(json, meta ?? [], MetaKeys.IsOfRequests);
            json.WriteEndObject();
            if (!cursor.IsEmpty)
            {
                OwnMessages.Write(json, "cursor", cursor);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        });
    }
}
