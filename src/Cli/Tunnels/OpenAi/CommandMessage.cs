using System.Buffers;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>What routing needs of a command's message.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Requests">The ids of the requests in it: one, several for a batch, none for a notification or a response.</param>
/// <param name="Id">Its id, even if it is not a valid message; null if none was seen, and for a batch.</param>
/// <param name="HasResumption">Whether its revision lets the rest of a stream be fetched that breaks off.</param>
internal sealed record CommandMessage(MessageKind Kind, IReadOnlyList<MessageId> Requests, MessageId? Id, bool HasResumption)
{
    public bool IsBatch => Kind is MessageKind.Batch;

    /// <summary>It has no request, so that it is acknowledged and not answered.</summary>
    public bool IsAcknowledged => Kind is not MessageKind.Broken && Requests.Count == 0;

    /// <summary>Reads a message. Never throws.</summary>
    /// <param name="message">May be empty.</param>
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

        // Elements that are not messages are left to the server, which refuses them.
        IEnumerable<RpcHead> requests = parts.Select(part => MessageScanner.Scan(part)).Where(each => each.Kind is MessageKind.Request);
        return new CommandMessage(head.Kind, [.. requests.Select(each => each.Id!.Value)], null, HasResumption: true);
    }
}
