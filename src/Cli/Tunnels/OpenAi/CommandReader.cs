using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads the commands in the response to a poll. Ignores unknown fields, and commands whose answer could not be posted.</summary>
internal static class CommandReader
{
    private const string MainChannel = "main";

    /// <summary>The maximum number of commands in one response, many times the number that a poll asks for. A response with more is refused.</summary>
    private const int MaxCommands = 1_000;

    /// <summary>
    /// The maximum number of bytes of a command's headers, as JSON. Larger ones are not read, and the command fails, since no request head may be that large.
    /// </summary>
    private const int MaxHeaderBytes = 64 * 1024;

    /// <summary>
    /// The options for reading a response. They allow a deeper nesting than messages may have, so that one message that is too deep does not make the whole
    /// response unreadable.
    /// </summary>
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 2_048 };

    /// <param name="body">The response's body. The messages of the returned commands are slices of it.</param>
    /// <exception cref="JsonException">The body is not a JSON object, its <c>commands</c> are not an array, or there are too many of them.</exception>
    public static IReadOnlyList<TunnelCommand> Read(in ReadOnlySequence<byte> body)
    {
        var json = new Utf8JsonReader(body, Options);
        if (!json.Read() || json.TokenType is not JsonTokenType.StartObject)
        {
            throw new JsonException("The poll's response is not an object.");
        }

        List<TunnelCommand> commands = [];
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            bool isList = JsonSlice.Is(ref json, "commands"u8);
            json.Read();
            if (isList && json.TokenType is JsonTokenType.StartArray)
            {
                commands.AddRange(ReadAll(ref json, body));
            }
            else if (isList && json.TokenType is not JsonTokenType.Null)
            {
                throw new JsonException("The poll's commands are not an array.");
            }
            else
            {
                json.Skip();
            }
        }

        json.Read(); // throws if anything follows the object
        return commands;
    }

    private static List<TunnelCommand> ReadAll(ref Utf8JsonReader json, in ReadOnlySequence<byte> body)
    {
        List<TunnelCommand> commands = [];
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
        {
            if (json.TokenType is not JsonTokenType.StartObject)
            {
                json.Skip();
            }
            else if (ReadOne(ref json, body) is { } command)
            {
                commands.Add(commands.Count < MaxCommands ? command : throw new JsonException("The poll has too many commands."));
            }
        }

        return commands;
    }

    /// <returns>The command; null if its id or shard token is missing or not valid, or a name in it is not valid Unicode.</returns>
    private static TunnelCommand? ReadOne(ref Utf8JsonReader json, in ReadOnlySequence<byte> body)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        List<(string Name, string Value)>? headers = [];
        ReadOnlySequence<byte> message = default;
        bool isText = true;
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            string? name = JsonSlice.ReadText(ref json);
            isText &= name is not null;
            json.Read();
            long start = json.TokenStartIndex;
            switch (name)
            {
                case "request_id" or "shard_token" or "command_type" or "channel" or "response_timeout"
                    when json.BytesConsumed - start <= MessageScanner.MaxTextBytes && JsonSlice.ReadText(ref json) is { } text:
                    texts[name] = text;
                    break;
                case "headers" when json.TokenType is JsonTokenType.StartObject:
                    isText &= TryReadHeaders(ref json, out headers);
                    break;
                case "jsonrpc" when json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray:
                    json.Skip();
                    message = body.Slice(start, json.BytesConsumed - start);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        return isText && texts.TryGetValue("request_id", out string? id) && texts.TryGetValue("shard_token", out string? shard)
            && shard.All(character => character is >= ' ' and <= '~') // it is sent in a header line
            ? new TunnelCommand(
                id,
                shard,
                texts.GetValueOrDefault("command_type", ""),
                texts.GetValueOrDefault("channel", MainChannel),
                ResponseTimeout.Read(texts.GetValueOrDefault("response_timeout")),
                headers,
                message)
            : null;
    }

    /// <param name="json">A reader at the start of an object. It is moved to the end of the object.</param>
    /// <param name="headers">The header fields; null if they are too large together.</param>
    /// <returns>False if a name is not valid Unicode.</returns>
    private static bool TryReadHeaders(ref Utf8JsonReader json, out List<(string Name, string Value)>? headers)
    {
        headers = null;
        Utf8JsonReader end = json;
        end.Skip();
        if (end.BytesConsumed - json.TokenStartIndex > MaxHeaderBytes)
        {
            json = end;
            return true;
        }

        headers = [];
        bool isText = true;
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            string? name = JsonSlice.ReadText(ref json);
            isText &= name is not null;
            json.Read();
            if (json.TokenType is not JsonTokenType.StartArray)
            {
                json.Skip();
                continue;
            }

            while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
            {
                if (name is not null && JsonSlice.ReadText(ref json) is { } value)
                {
                    headers.Add((name, value));
                }

                json.Skip();
            }
        }

        return isText;
    }
}
