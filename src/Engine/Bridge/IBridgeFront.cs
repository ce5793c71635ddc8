using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>The client's side of a bridge: receives JSON-RPC messages from one client and sends JSON-RPC messages to it.</summary>
internal interface IBridgeFront
{
    /// <summary>Cancelled when the client takes no more messages, and by <see cref="Close"/>.</summary>
    CancellationToken Gone { get; }

    /// <summary>
    /// Whether messages are translated before they are sent to the client. That may take long or wait for a lock, so it must not run on an event loop's thread.
    /// </summary>
    bool Translates => false;

    /// <summary>Receives the client's next message. Only one caller at a time may call it.</summary>
    ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Says that nothing more is received, and ends everything that waits for further messages of the client.</summary>
    /// <returns>A task that ends when the front's own answers have been sent. It never fails.</returns>
    Task EndReceivingAsync();

    /// <summary>Sends one complete message to the client. Any number of callers may call it at the same time.</summary>
    /// <param name="message">Valid JSON, so line ends in it are only between tokens. It must stay valid until the task has ended.</param>
    /// <exception cref="FrontClosedException">The client takes no more messages.</exception>
    ValueTask SendAsync(ReadOnlySequence<byte> message);

    /// <summary>Tells the front that a large answer to a request is coming in. The answer is sent once it is complete.</summary>
    /// <param name="request">The id that the request had when it was received from this front.</param>
    void AnswerIsLarge(MessageId request)
    {
    }

    /// <summary>Says that nothing more is sent. Calls of <see cref="SendAsync"/> that still wait get a <see cref="FrontClosedException"/>.</summary>
    void Close();
}

/// <summary>Thrown when the client takes no more messages.</summary>
internal sealed class FrontClosedException() : IOException("The client takes no more messages.");
