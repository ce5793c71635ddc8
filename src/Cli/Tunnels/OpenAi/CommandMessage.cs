using System.Buffers;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The parts of a command's message that decide how it is sent and answered.</summary>
/// <param name="Kind">The kind of the message.</param>
/// <param name="Requests">The ids of the requests in it: one for a request, any number for a batch, none for a notification or a response.</param>
/// <param name="Id">The message's id, even if the message is not valid; null if no id was found, and for a batch.</param>
/// <param name="HasResumption">Whether the message's revision allows the rest of a stream to be fetched after it broke off.</param>
internal sealed record CommandMessage(MessageKind Kind, IReadOnlyList<MessageId> Requests, MessageId? Id, bool HasResumption)
{
    public bool IsBatch => Kind is MessageKind.Batch;

    /// <summary>Whether the message has no request, so that it is acknowledged and not answered.</summary>
    public bool IsAcknowledged => Kind is not MessageKind.Broken && Requests.Count == 0;

    /// <summary>Reads a message. Never throws.</summary>
    /// <param name="message">The raw JSON of the message; may be empty.</param>
    public static CommandMessage Read(in ReadOnlySequence<byte> message)
    {
        RpcHead head = MessageScanner.Scan(message);
        if (head.Kind is not MessageKind.Batch)
        {
            return new CommandMessage(head.Kind, head.Kind is MessageKind.Request ? [head.Id!.Value] : [], head.Id, !head.IsWithoutSession);
        }

        if (BatchReader.Split(message, BridgeLimits.MaxBatch) is not { } parts)
        {
            return new CommandMessage(MessageKind.Broken, [], null, HasResumption: false);
        }

        // Elements that are not valid messages are sent on too. The server refuses them.
        IEnumerable<RpcHead> requests = parts.Select(part => MessageScanner.Scan(part)).Where(each => each.Kind is MessageKind.Request);
        return new CommandMessage(head.Kind, [.. requests.Select(each => each.Id!.Value)], null, HasResumption: true);
    }
}
