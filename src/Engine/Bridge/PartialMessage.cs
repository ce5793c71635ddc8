using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Reads single members of a message if the scanner's head does not have them.</summary>
internal static class PartialMessage
{
    /// <summary>The raw JSON of one member of a message that the scanner has read; empty if there is none.</summary>
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
