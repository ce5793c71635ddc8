using System.Text;
using System.Text.Json;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads the commands in the response to a poll. Ignores unknown fields, and commands that cannot be answered.</summary>
internal static class CommandReader
{
    private const string MainChannel = "main";

    /// <summary>Deeper than any message may be, so that one deep message does not take the others of its poll along.</summary>
    private const int MaxDepth = 2_048;

    /// <exception cref="JsonException">The body is not a JSON object with an array of commands.</exception>
    public static IReadOnlyList<TunnelCommand> Read(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
        if (document.RootElement.ValueKind is not JsonValueKind.Object)
        {
            throw new JsonException("The poll's response is not an object.");
        }

        if (!document.RootElement.TryGetProperty("commands", out JsonElement commands) || commands.ValueKind is JsonValueKind.Null)
        {
            return [];
        }

        return commands.ValueKind is JsonValueKind.Array
            ? [.. commands.EnumerateArray().Select(TryRead).OfType<TunnelCommand>()]
            : throw new JsonException("The poll's commands are not an array.");
    }

    private static TunnelCommand? TryRead(JsonElement json)
    {
        try
        {
            return Command(json);
        }
        catch (InvalidOperationException)
        {
            return null; // a name in it is not valid Unicode: half a character
        }
    }

    private static TunnelCommand? Command(JsonElement json)
    {
        if (json.ValueKind is not JsonValueKind.Object || Text(json, "request_id") is not { } id || Text(json, "shard_token") is not { } shard)
        {
            return null;
        }

        byte[] message = json.TryGetProperty("jsonrpc", out JsonElement raw) && raw.ValueKind is JsonValueKind.Object or JsonValueKind.Array
            ? Encoding.UTF8.GetBytes(raw.GetRawText())
            : [];
        return new TunnelCommand(
            id,
            shard,
            Text(json, "command_type") ?? "",
            Text(json, "channel") ?? MainChannel,
            ResponseTimeout.Read(Text(json, "response_timeout")),
            [.. Headers(json)],
            message);
    }

    private static IEnumerable<(string Name, string Value)> Headers(JsonElement command)
    {
        if (!command.TryGetProperty("headers", out JsonElement headers) || headers.ValueKind is not JsonValueKind.Object)
        {
            return [];
        }

        return headers.EnumerateObject().SelectMany(header => header.Value.ValueKind is JsonValueKind.Array
            ? header.Value.EnumerateArray().Select(Text).OfType<string>().Select(value => (header.Name, value))
            : []);
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? Text(value) : null;

    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half a character
        }
    }
}
