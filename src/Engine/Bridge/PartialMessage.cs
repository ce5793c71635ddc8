using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Reads single members of a JSON-RPC message: those that <see cref="RpcHead"/> does not contain.</summary>
internal static class PartialMessage
{
    /// <summary>Returns the raw JSON of one member of a JSON object that has been scanned; empty if the object has no such member.</summary>
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
