using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What a client says about itself in its <c>initialize</c> (revisions up to 2025-11-25).</summary>
internal sealed class LegacyClient
{
    /// <summary>The <c>clientInfo</c> for a client that has sent none. In 2026-07-28 each request must have one.</summary>
    private static readonly byte[] NoInfo = """{"name":"unknown","version":"unknown"}"""u8.ToArray();

    private LegacyClient(string revision, byte[] info, byte[] capabilities)
    {
        Revision = revision;
        Info = info;
        Capabilities = capabilities;
    }

    /// <summary>The revision that the client is answered in: the one that it asked for, or else the last revision with a handshake.</summary>
    public string Revision { get; }

    /// <summary>The raw JSON of <c>clientInfo</c>, as received.</summary>
    public byte[] Info { get; }

    /// <summary>The raw JSON of <c>capabilities</c>, without those that revision 2026-07-28 no longer has.</summary>
    public byte[] Capabilities { get; }

    /// <summary>Reads an <c>initialize</c>.</summary>
    public static LegacyClient Read(in ReadOnlySequence<byte> initialize, RpcHead head)
    {
        ReadOnlySequence<byte> parameters = JsonSlice.Find(initialize, "params"u8)?.Value ?? default;
        JsonSlice? info = parameters.IsEmpty ? null : JsonSlice.Find(parameters, "clientInfo"u8);
        JsonSlice? capabilities = parameters.IsEmpty ? null : JsonSlice.Find(parameters, "capabilities"u8);
        return new LegacyClient(
            Revisions.IsLegacy(head.ProtocolVersion) ? head.ProtocolVersion! : Revisions.LastLegacy,
            info is { Kind: JsonTokenType.StartObject } given ? given.Value.ToArray() : NoInfo,
            Kept(capabilities));
    }

    /// <summary>Returns a sentence that says why the client cannot be asked for something; null if it can be.</summary>
    /// <param name="method">The method of the request that the server wants to send to the client.</param>
    /// <param name="mode"><c>params.mode</c> of an elicitation; null if there is none.</param>
    public string? WhyNot(string method, string? mode)
    {
        (string capability, bool isKnown) = method switch
        {
            Methods.CreateMessage => ("sampling", true),
            Methods.ListRoots => ("roots", true),
            Methods.Elicit => ("elicitation", true),
            _ => ("", false),
        };
        var capabilities = new ReadOnlySequence<byte>(Capabilities);
        if (!isKnown)
        {
            return "The server asks the client for something that MCP up to revision 2025-11-25 does not have.";
        }

        if (JsonSlice.Find(capabilities, System.Text.Encoding.ASCII.GetBytes(capability)) is not { Kind: JsonTokenType.StartObject } found)
        {
            return $"The server asks the client for {method}, but the client has not declared the capability {capability}.";
        }

        return method is Methods.Elicit && mode is "url" && JsonSlice.Find(found.Value, "url"u8) is null
            ? "The server wants the client to open a URL for its user, but the client has not declared the capability elicitation.url."
            : null;
    }

    private static byte[] Kept(JsonSlice? capabilities)
    {
        List<JsonSlice>? members = capabilities is { } given ? JsonSlice.Members(given.Value) : null;
        return OwnMessages.Build(256, json =>
        {
            json.WriteStartObject();
            OwnMessages.WriteMembers(json, members ?? [], name => name is not "tasks");
            json.WriteEndObject();
        }).ToArray();
    }
}
