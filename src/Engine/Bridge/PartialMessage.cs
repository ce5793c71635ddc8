using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Reads single members of a message where the scanner's head does not have them.</summary>
internal static class PartialMessage
{
    /// <summary>The raw JSON of the id of a message of which the end is missing; empty where it was not seen.</summary>
    public static ReadOnlyMemory<byte> FindId(in ReadOnlySequence<byte> cut)
    {
        try
        {
            var json = new Utf8JsonReader(cut, isFinalBlock: false, new JsonReaderState(MessageScanner.Options));
            if (!json.Read() || json.TokenType is not JsonTokenType.StartObject)
            {
                return default;
            }

            while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
            {
                bool isId = json.ValueTextEquals("id"u8);
                if (!json.Read())
                {
                    return default;
                }

                if (isId)
                {
                    return MessageId.TryRead(ref json, cut, out MessageId id) ? id.Raw : default;
                }

                if (!json.TrySkip())
                {
                    return default;
                }
            }
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            // Then no id is known.
        }

        return default;
    }

    /// <summary>The raw JSON of one member of a message that the scanner has read; empty where there is none.</summary>
    public static ReadOnlySequence<byte> Member(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> name)
    {
        var json = new Utf8JsonReader(message, MessageScanner.Options);
        json.Read();
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            bool isWanted = JsonSlice.Is(ref json, name);
            json.Read();
            long start = json.TokenStartIndex;
            json.Skip();
            if (isWanted)
            {
                return message.Slice(start, json.BytesConsumed - start);
            }
        }

        return default;
    }
}
