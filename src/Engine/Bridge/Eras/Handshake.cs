using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Makes the answer to a client's <c>initialize</c> from a server's answer to <c>server/discover</c>.</summary>
internal static class Handshake
{
    /// <summary>Builds the answer to <c>initialize</c>.</summary>
    /// <param name="discovered">The raw JSON of the result of <c>server/discover</c>.</param>
    /// <param name="revision">The protocol revision in the answer.</param>
    /// <param name="id">The id of the client's <c>initialize</c>.</param>
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

    /// <summary>Writes <c>serverInfo</c>. It is optional in 2026-07-28 and required in earlier revisions.</summary>
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
