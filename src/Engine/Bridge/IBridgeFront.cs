using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>Who speaks on the near side of a bridge: JSON-RPC messages in, JSON-RPC messages out.</summary>
internal interface IBridgeFront
{
    /// <summary>The client's next message. For one reader.</summary>
    ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Sends one message to the client, whole. Callers need not take turns.</summary>
    /// <param name="message">JSON; line ends in it stand outside strings. May be used until the task has ended.</param>
    /// <param name="cancellationToken">Ends the wait for its turn. A message that has begun is not cut.</param>
    /// <exception cref="FrontClosedException">The client takes no more messages.</exception>
    ValueTask SendAsync(ReadOnlySequence<byte> message, CancellationToken cancellationToken);
}

/// <summary>The client takes no more messages.</summary>
internal sealed class FrontClosedException() : IOException("The client reads no more.");
