using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Makes the answer of one era to "who are you" from that of the other.</summary>
internal static class Handshake
{
    /// <summary>The answer to <c>initialize</c>, from the result of <c>server/discover</c>.</summary>
    /// <param name="discovered">The result.</param>
    /// <param name="revision">The revision that the client is answered in.</param>
    /// <param name="id">The client's request.</param>
    public static ReadOnlySequence<byte> FromDiscovery(in ReadOnlySequence<byte> discovered, string revision, MessageId id)
    {
        List<JsonSlice>? capabilities = JsonSlice.Find(discovered, "capabilities"u8) is { } found ? JsonSlice.Members(found.Value) : null;
        JsonSlice? info = JsonSlice.Find(discovered, "_meta"u8) is { } meta ? JsonSlice.Find(meta.Value, MetaKeys.ServerInfo) : null;
        JsonSlice? instructions = JsonSlice.Find(discovered, "instructions"u8);
        return OwnMessages.Build(discovered.Length + 256, json =>
        {
            OwnMessages.Open(json);
            OwnMessages.WriteId(json, id);
            json.WriteStartObject("result"u8);
            json.WriteString("protocolVersion"u8, revision);
            json.WriteStartObject("capabilities"u8);
            OwnMessages.WriteMembers(json, capabilities ?? [], name => name is not "extensions");
            json.WriteEndObject();
            WriteInfo(json, info);
            if (instructions is { Kind: JsonTokenType.String } said)
            {
                OwnMessages.Write(json, "instructions", said.Value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>A server need not say who it is; an older client has to be told.</summary>
    private static void WriteInfo(Utf8JsonWriter json, JsonSlice? info)
    {
        if (info is { Kind: JsonTokenType.StartObject } given)
        {
            OwnMessages.Write(json, "serverInfo", given.Value);
            return;
        }

        json.WriteStartObject("serverInfo"u8);
        json.WriteString("name"u8, "unknown");
        json.WriteString("version"u8, "unknown");
        json.WriteEndObject();
    }
}
