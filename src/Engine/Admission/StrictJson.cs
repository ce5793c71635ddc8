using System.Text.Json;
using System.Text.Unicode;

namespace McpProxyFast.Admission;

/// <summary>Parses the JSON of a token strictly: JSON that two parsers could read differently is refused, and every string must be valid Unicode.</summary>
internal static class StrictJson
{
    /// <summary>
    /// The parser's options: no member may occur twice (RFC 7515 §4, RFC 8725 §2.4), and the nesting depth is limited to more than any real token has.
    /// </summary>
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Parses a document. Reading a string from it cannot fail afterwards.</summary>
    /// <exception cref="JsonException">The bytes are not JSON that meets these rules.</exception>
    public static JsonDocument Parse(byte[] json)
    {
        // JSON is UTF-8 (RFC 8259 §8.1). The parser does not check that before a string is read.
        if (!Utf8.IsValid(json))
        {
            throw new JsonException("The JSON is not valid UTF-8.");
        }

        try
        {
            RefuseLoneSurrogates(json);
            return JsonDocument.Parse(json, Options);
        }
        catch (InvalidOperationException fault)
        {
            throw new JsonException("A text in the JSON is not valid Unicode.", fault);
        }
    }

    /// <summary>
    /// Refuses an escape that is half of a surrogate pair (RFC 8259 §8.2). It is valid JSON but not valid Unicode, and parsers fail, replace it, or drop it.
    /// </summary>
    private static void RefuseLoneSurrogates(byte[] json)
    {
        if (json.AsSpan().IndexOf("\\u"u8) < 0)
        {
            return;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Options.MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
            {
                _ = reader.GetString();
            }
        }
    }
}
