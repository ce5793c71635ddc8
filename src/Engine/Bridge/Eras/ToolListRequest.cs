using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Makes a <c>tools/list</c> request that the client has not sent.</summary>
internal static class ToolListRequest
{
    /// <summary>Makes a request on behalf of a tool call. It has the protocol revision and the client's data from the call's <c>_meta</c>.</summary>
    /// <param name="call">The <c>tools/call</c> request.</param>
    /// <param name="cursor">The cursor of the page, as raw JSON; empty for the first page.</param>
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
