using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>The connection to one client of a bridge. Receives JSON-RPC messages from the client and sends JSON-RPC messages to it.</summary>
internal interface IBridgeFront
{
    /// <summary>Cancelled when the client takes no more messages, and by <see cref="Close"/>.</summary>
    CancellationToken Gone { get; }

    /// <summary>
    /// Whether <see cref="SendAsync"/> may translate messages. A translation may take long or wait for a lock, so it must not run on an event loop's thread.
    /// </summary>
    bool Translates => false;

    /// <summary>Receives the client's next message, or the end of its input. Only one caller at a time may call it.</summary>
    ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Called when no more messages will be received. Whatever needs further messages of the client ends with an error.</summary>
    /// <returns>A task that ends when the answers that this class itself makes have been sent. It never fails.</returns>
    Task EndReceivingAsync();

    /// <summary>Sends one complete message to the client. Any number of callers may call it at the same time.</summary>
    /// <param name="message">Valid JSON, so line ends occur in it only between tokens. Its memory must stay valid until the task has ended.</param>
    /// <exception cref="FrontClosedException">The client takes no more messages.</exception>
    ValueTask SendAsync(ReadOnlySequence<byte> message);

    /// <summary>Called while a large answer to a request is being received from the server. The complete answer follows with <see cref="SendAsync"/>.</summary>
    /// <param name="request">The id that the request had when <see cref="ReceiveAsync"/> returned it.</param>
    void AnswerIsLarge(MessageId request)
    {
    }

    /// <summary>Called when no more messages will be sent. Calls of <see cref="SendAsync"/> that still wait get a <see cref="FrontClosedException"/>.</summary>
    void Close();
}

/// <summary>Thrown when the client takes no more messages.</summary>
internal sealed class FrontClosedException() : IOException("The client takes no more messages.");
