namespace McpProxyFast.Bridge;

/// <summary>Bounds what is held of messages while they come in.</summary>
internal interface IMessageBound
{
    /// <summary>Called whenever a message has grown. Waits, or throws, where no more of it may be held now.</summary>
    /// <param name="message">Gives its share back when it is disposed of.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken);
}
