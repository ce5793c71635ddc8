using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What a client of an older era has said of itself in its <c>initialize</c>.</summary>
internal sealed class LegacyClient
{
    /// <summary>A name if the client has given none, since each request has to have one that is well formed.</summary>
    private static readonly byte[] NoInfo = """{"name":"unknown","version":"unknown"}"""u8.ToArray();

    private LegacyClient(string revision, byte[] info, byte[] capabilities)
    {
        Revision = revision;
        Info = info;
        Capabilities = capabilities;
    }

    /// <summary>The revision that it is answered in: the one it asked for, or the last that has a handshake.</summary>
    public string Revision { get; }

    /// <summary><c>clientInfo</c>, as it came.</summary>
    public byte[] Info { get; }

    /// <summary><c>capabilities</c>, without those that revision 2026-07-28 has taken out.</summary>
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

    /// <summary>Why the client cannot be asked for something; null if it can be.</summary>
    /// <param name="method">What a server wants to ask.</param>
    /// <param name="mode"><c>params.mode</c> of an elicitation.</param>
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
            return "The server asks the client for something that no revision of the client's era has.";
        }

        if (JsonSlice.Find(capabilities, System.Text.Encoding.ASCII.GetBytes(capability)) is not { Kind: JsonTokenType.StartObject } found)
        {
            return $"The server asks the client for {method}, but the client has not declared the capability {capability}.";
        }

        return method is Methods.Elicit && mode is "url" && JsonSlice.Find(found.Value, "url"u8) is null
            ? "The server wants to lead the client's user to a URL, but the client has not declared the capability elicitation.url."
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
