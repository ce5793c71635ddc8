using System.Text.Json;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Kind and id of a JSON-RPC message.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Id">The raw JSON of the id; empty if there is none.</param>
internal readonly record struct MessageShape(MessageKind Kind, ReadOnlyMemory<byte> Id)
{
    private static readonly string[] Members = ["jsonrpc", "method", "id", "result", "error"];

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1_024 };

    /// <summary>Reads the shape of a message.</summary>
    /// <param name="message">One JSON value.</param>
    public static MessageShape Of(ReadOnlyMemory<byte> message)
    {
        try
        {
            return Read(message);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    /// <summary>Whether the other message answers this one. Ids are compared by value: a server may write the same id differently.</summary>
    public bool IsAnsweredBy(MessageShape other) =>
        other.Kind is MessageKind.Response or MessageKind.Error && !Id.IsEmpty && !other.Id.IsEmpty && IsSame(Id, other.Id);

    private static bool IsSame(ReadOnlyMemory<byte> one, ReadOnlyMemory<byte> other)
    {
        using JsonDocument first = JsonDocument.Parse(one);
        using JsonDocument second = JsonDocument.Parse(other);
        return JsonElement.DeepEquals(first.RootElement, second.RootElement);
    }

    private static MessageShape Read(ReadOnlyMemory<byte> message)
    {
        var reader = new Utf8JsonReader(message.Span, Options);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            bool isArray = reader.TokenType is JsonTokenType.StartArray;
            reader.Skip();
            return isArray && !reader.Read() ? new MessageShape(MessageKind.Batch, default) : default;
        }

        var found = new Dictionary<string, (JsonTokenType Type, ReadOnlyMemory<byte> Value)>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            string? name = NameAt(reader);
            reader.Read();
            (JsonTokenType type, int start) = (reader.TokenType, (int)reader.TokenStartIndex);
            reader.Skip();
            if (name is not null && !found.TryAdd(name, (type, message[start..(int)reader.BytesConsumed])))
            {
                return default; // duplicate names: two parsers could read them differently
            }
        }

        bool isWhole = reader.TokenType is JsonTokenType.EndObject && !reader.Read();
        return isWhole && found.TryGetValue("jsonrpc", out var version) && version.Value.Span.SequenceEqual("\"2.0\""u8)
            ? new MessageShape(KindOf(found), found.GetValueOrDefault("id").Value)
            : default;
    }

    private static MessageKind KindOf(Dictionary<string, (JsonTokenType Type, ReadOnlyMemory<byte> Value)> found)
    {
        bool hasResult = found.ContainsKey("result"), hasError = found.ContainsKey("error");
        return found.TryGetValue("method", out var method)
            ? method.Type is not JsonTokenType.String ? MessageKind.None
                : found.ContainsKey("id") ? MessageKind.Request
                : MessageKind.Notification
            : hasResult && !hasError ? MessageKind.Response
            : hasError && !hasResult && found["error"].Type is JsonTokenType.StartObject ? MessageKind.Error
            : MessageKind.None;
    }

    /// <summary>The current member name, or null if it does not matter here.</summary>
    private static string? NameAt(in Utf8JsonReader reader)
    {
        foreach (string member in Members)
        {
            if (reader.ValueTextEquals(member))
            {
                return member;
            }
        }

        return null;
    }
}

/// <summary>The kinds of JSON-RPC messages.</summary>
internal enum MessageKind
{
    /// <summary>Not a JSON-RPC message.</summary>
    None,

    /// <summary>It has a method and an id.</summary>
    Request,

    /// <summary>It has a method and no id.</summary>
    Notification,

    /// <summary>It has a result.</summary>
    Response,

    /// <summary>It has an error.</summary>
    Error,

    /// <summary>An array. Its content is not read.</summary>
    Batch,
}
