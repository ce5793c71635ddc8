namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory that messages take while they are received.</summary>
internal interface IMessageBound
{
    /// <summary>Called whenever a message has grown. If too much memory is in use, waits until some is free, or throws.</summary>
    /// <param name="message">The bytes of the message so far. When they are disposed of, other messages may use the memory that they took.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken);

    /// <summary>Reads the next bytes of a message.</summary>
    /// <param name="stream">The stream that the message arrives on.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="message">The bytes of the message so far.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The message has stalled while others wait for the memory that it takes. It must be dropped.</exception>
    ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, MessageBuffer message, CancellationToken cancellationToken) =>
        stream.ReadAsync(buffer, cancellationToken);
}
