using System.Net;
using System.Text.Json.Nodes;
using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Demo;

/// <summary>The methods of the demo's MCP server that are answered with one message, not with a stream.</summary>
internal static class DemoMethods
{
    private const string StatelessRevision = "2026-07-28";

    /// <summary>The MCP revisions that the server supports, newest first. It treats all revisions with a handshake alike.</summary>
    private static readonly string[] Revisions = [StatelessRevision, "2025-11-25", "2025-06-18", "2025-03-26"];

    /// <summary>Returns the answer to a request.</summary>
    public static JsonObject Answer(JsonObject message)
    {
        JsonNode? id = message["id"];
        if (RevisionOf(message) is { } revision && !Revisions.Contains(revision))
        {
            var data = new JsonObject { ["supported"] = Strings(Revisions), ["requested"] = revision };
            return JsonRpc.Error(id, JsonRpc.UnsupportedProtocolVersion, "Unsupported protocol version", data);
        }

        return JsonRpc.FindText(message, "method") switch
        {
            "initialize" => JsonRpc.Result(id, Initialize(message["params"])),
            "server/discover" => Complete(id, Discover()),
            "ping" => JsonRpc.Result(id, []),
            "tools/list" => Complete(id, new JsonObject { ["tools"] = DemoTools.List(), ["ttlMs"] = 60_000, ["cacheScope"] = "public" }),
            "tools/call" => DemoTools.Call(message),
            _ => JsonRpc.Error(id, JsonRpc.MethodNotFound, "Method not found"),
        };
    }

    /// <summary>Returns the HTTP status for an answer. In the stateless revision (2026-07-28) some errors have a status of their own.</summary>
    public static HttpStatusCode StatusOf(JsonObject message, JsonObject answer) => answer["error"]?["code"]?.GetValue<int>() switch
    {
        JsonRpc.UnsupportedProtocolVersion => HttpStatusCode.BadRequest,
        JsonRpc.MethodNotFound when RevisionOf(message) == StatelessRevision => HttpStatusCode.NotFound,
        _ => HttpStatusCode.OK,
    };

    /// <summary>Adds <c>resultType: complete</c> to a result, which the stateless revision (2026-07-28) demands. Earlier revisions ignore it.</summary>
    public static JsonObject Complete(JsonNode? id, JsonObject result)
    {
        result["resultType"] = "complete";
        return JsonRpc.Result(id, result);
    }

    /// <summary>Returns the revision in the <c>_meta</c> of a request; null if there is none, as in revisions with a handshake.</summary>
    private static string? RevisionOf(JsonObject message) =>
        JsonRpc.FindText(message, "params", "_meta", "io.modelcontextprotocol/protocolVersion");

    private static JsonObject Initialize(JsonNode? parameters)
    {
        string? asked = JsonRpc.FindText(parameters, "protocolVersion");
        return new JsonObject
        {
            ["protocolVersion"] = asked != StatelessRevision && Revisions.Contains(asked) ? asked : Revisions[1],
            ["capabilities"] = Capabilities(),
            ["serverInfo"] = ServerInfo(),
        };
    }

    private static JsonObject Discover() => new()
    {
        ["supportedVersions"] = Strings(Revisions),
        ["capabilities"] = Capabilities(),
        ["serverInfo"] = ServerInfo(),
        ["ttlMs"] = 60_000,
        ["cacheScope"] = "public",
    };

    private static JsonObject Capabilities() => new() { ["tools"] = new JsonObject() };

    private static JsonObject ServerInfo() => new() { ["name"] = "mcpproxyfast-demo", ["version"] = ProgramVersion.Number };

    // A collection expression would call the generic Add, which a native build does not support.
    private static JsonArray Strings(string[] texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}
