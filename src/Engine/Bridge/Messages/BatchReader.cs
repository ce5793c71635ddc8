using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Splits a batch into its messages (JSON-RPC 2.0 §6). Of the revisions of MCP only 2025-03-26 has batches.</summary>
internal static class BatchReader
{
    /// <summary>Returns the messages of a batch, in order. They are slices of the batch and have not been scanned.</summary>
    /// <param name="batch">A message whose kind is <see cref="MessageKind.Batch"/>.</param>
    /// <param name="most">The maximum number of messages.</param>
    /// <returns>At least one message; null if there are more than <paramref name="most"/>.</returns>
    public static List<ReadOnlySequence<byte>>? Split(in ReadOnlySequence<byte> batch, int most)
    {
        var messages = new List<ReadOnlySequence<byte>>();
        var json = new Utf8JsonReader(batch, MessageScanner.Options);
        json.Read();
        Debug.Assert(json.TokenType is JsonTokenType.StartArray, "The scanner has found a batch.");
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

        Debug.Assert(messages.Count > 0, "The scanner has found a batch, so it is not empty.");
        return messages;
    }

    /// <summary>Returns the ids of the requests in a message: its own if it is a request, or those in a batch.</summary>
    /// <param name="message">The message.</param>
    /// <param name="most">The maximum number of messages in a batch. For a longer batch no ids are returned.</param>
    public static IEnumerable<MessageId> Requests(ReadOnlySequence<byte> message, int most)
    {
        RpcHead head = MessageScanner.Scan(message);
        IEnumerable<RpcHead> heads = head.Kind is MessageKind.Batch ? (Split(message, most) ?? []).Select(part => MessageScanner.Scan(part)) : [head];
        return heads.Where(each => each.Kind is MessageKind.Request).Select(each => each.Id!.Value).ToArray();
    }
}
