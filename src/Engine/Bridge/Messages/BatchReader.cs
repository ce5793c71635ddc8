using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Takes a batch apart (JSON-RPC 2.0 §6; MCP 2025-03-26 alone has them).</summary>
internal static class BatchReader
{
    /// <summary>The messages of a batch, in their order; slices of it, unread.</summary>
    /// <param name="batch">What <see cref="MessageScanner"/> called a <see cref="MessageKind.Batch"/>.</param>
    /// <param name="most">Most messages that are taken.</param>
    /// <returns>At least one; null if there are more than <paramref name="most"/>.</returns>
    public static List<ReadOnlySequence<byte>>? Split(in ReadOnlySequence<byte> batch, int most)
    {
        var messages = new List<ReadOnlySequence<byte>>();
        var json = new Utf8JsonReader(batch, MessageScanner.Options);
        json.Read();
        Debug.Assert(json.TokenType is JsonTokenType.StartArray, "The scanner has called it a batch.");
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
        {
            if (messages.Count == most)
            {
                return null;
            }

            long start = json.TokenStartIndex;
            json.Skip();
            messages.Add(batch.Slice(start, json.BytesConsumed - start));
        }

        Debug.Assert(messages.Count > 0, "The scanner has called it a batch, so it is not empty.");
        return messages;
    }

    /// <summary>The ids of the requests that a message carries, itself or as a batch.</summary>
    /// <param name="message">The message.</param>
    /// <param name="most">Most messages of a batch; of a longer one nothing is read.</param>
    public static IEnumerable<MessageId> Requests(ReadOnlySequence<byte> message, int most)
    {
        RpcHead head = MessageScanner.Scan(message);
        IEnumerable<RpcHead> heads = head.Kind is MessageKind.Batch ? (Split(message, most) ?? []).Select(part => MessageScanner.Scan(part)) : [head];
        return heads.Where(each => each.Kind is MessageKind.Request).Select(each => each.Id!.Value).ToArray();
    }
}
