using System.Text.Json;
using System.Text.Unicode;

namespace McpProxyFast.Admission;

/// <summary>Parses the JSON of a token strictly: JSON that two parsers could read differently is refused, and every string must be valid Unicode.</summary>
internal static class StrictJson
{
    /// <summary>
    /// The parser's options: no member may occur twice (RFC 7515 §4, RFC 8725 §2.4), and the nesting depth is at most 16, which is more than any real token
    /// has.
    /// </summary>
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Parses a document. After that, no read of a string in it can throw.</summary>
    /// <exception cref="JsonException">
    /// The bytes are not valid JSON, have a member twice, are nested too deeply, or contain a string that is not Unicode.
    /// </exception>
    public static JsonDocument Parse(byte[] json)
    {
        // JSON is UTF-8 (RFC 8259 §8.1). The parser would check a string only when it is read, so all bytes are checked here.
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
    /// Refuses an escape that is half of a surrogate pair (RFC 8259 §8.2). It is valid JSON but not valid Unicode: some parsers refuse it, others replace or
    /// drop it.
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
