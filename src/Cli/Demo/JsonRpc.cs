using System.Text.Json.Nodes;

namespace McpProxyFast.Cli.Demo;

/// <summary>The messages of JSON-RPC 2.0 that a server sends.</summary>
internal static class JsonRpc
{
    public const int ParseError = -32700;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;

    /// <summary>MCP 2026-07-28: the revision that a request names is not spoken here.</summary>
    public const int UnsupportedProtocolVersion = -32022;

    /// <summary>What lies at the end of <paramref name="path"/>, or null if something on the way is not an object.</summary>
    public static JsonNode? Find(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }

    /// <summary>The text of the JSON string at the end of <paramref name="path"/>, or null.</summary>
    public static string? FindText(JsonNode? node, params ReadOnlySpan<string> path) =>
        Find(node, path) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static JsonObject Result(JsonNode? id, JsonObject result) => new() { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["result"] = result };

    public static JsonObject Notification(string method, JsonObject parameters) => new() { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters };

    public static JsonObject Error(JsonNode? id, int code, string text, JsonObject? data = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = text };
        if (data is not null)
        {
            error["data"] = data;
        }

        return new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["error"] = error };
    }
}
