using System.Text.Json.Nodes;

namespace McpProxyFast.Cli.Demo;

/// <summary>Builds the JSON-RPC 2.0 messages of the demo's server, and finds members in received ones.</summary>
internal static class JsonRpc
{
    public const int ParseError = -32700;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;

    /// <summary>The error code of MCP 2026-07-28 that says that the server does not support the revision of a request.</summary>
    public const int UnsupportedProtocolVersion = -32022;

    /// <summary>Returns the value at the end of <paramref name="path"/>; null if a step of the path is missing or not an object.</summary>
    public static JsonNode? Find(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }

    /// <summary>Returns the string at the end of <paramref name="path"/>; null if there is none.</summary>
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
