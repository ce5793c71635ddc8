using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Who speaks on the near side of a bridge: JSON-RPC messages in, JSON-RPC messages out.</summary>
internal interface IBridgeFront
{
    /// <summary>Cancelled when the client takes no more messages.</summary>
    CancellationToken Gone { get; }

    /// <summary>What is sent is translated, which may take long or wait for a lock: not on the thread of an event loop.</summary>
    bool Translates => false;

    /// <summary>The client's next message. For one reader.</summary>
    ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>No more is received: ends what waits for further words of the client.</summary>
    /// <returns>When what was answered here has been sent. Never fails.</returns>
    Task EndReceivingAsync();

    /// <summary>Sends one message to the client, whole. Callers need not take turns.</summary>
    /// <param name="message">JSON; line ends in it stand outside strings. May be used until the task has ended.</param>
    /// <exception cref="FrontClosedException">The client takes no more messages.</exception>
    ValueTask SendAsync(ReadOnlySequence<byte> message);

    /// <summary>A large answer to a request is coming in, and will be sent when it is whole.</summary>
    /// <param name="request">The id under which the request was received.</param>
    void AnswerIsLarge(MessageId request)
    {
    }

    /// <summary>Nothing more is sent: who still sends gets <see cref="FrontClosedException"/>, whatever the client does.</summary>
    void Close();
}

/// <summary>The client takes no more messages.</summary>
internal sealed class FrontClosedException() : IOException("The client reads no more.");
