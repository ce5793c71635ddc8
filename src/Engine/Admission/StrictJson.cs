using System.Text.Json;
using System.Text.Unicode;

namespace McpProxyFast.Admission;

/// <summary>Reads the JSON of a token: what two readers could read two ways is refused, and every text in it is Unicode.</summary>
internal static class StrictJson
{
    /// <summary>No member twice (RFC 7515 §4, RFC 8725 §2.4), and no nesting that no token has.</summary>
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Parses a document; reading a text of it cannot fail afterwards.</summary>
    /// <exception cref="JsonException">It is not such JSON.</exception>
    public static JsonDocument Parse(byte[] json)
    {
        // RFC 8259 §8.1. The parser lets bytes that are not UTF-8 pass, and fails when they are read.
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

    /// <summary>RFC 8259 §8.2: half of a pair, escaped, is JSON but no text. Readers fail at it, replace it, or drop it.</summary>
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
