namespace McpProxyFast.Bridge;

/// <summary>Bounds what is held of messages while they come in.</summary>
internal interface IMessageBound
{
    /// <summary>Called whenever a message has grown. Waits, or throws, if no more of it may be held now.</summary>
    /// <param name="message">Gives its share back when it is disposed of.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken);

    /// <summary>Reads on in a message.</summary>
    /// <param name="stream">The stream that the message arrives on.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="message">The bytes of the message so far.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The message has been given up, since others wait for what it holds.</exception>
    ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, MessageBuffer message, CancellationToken cancellationToken) =>
        stream.ReadAsync(buffer, cancellationToken);
}
