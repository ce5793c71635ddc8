namespace McpProxyFast.Bridge;

/// <summary>The outcome of sending a message.</summary>
internal enum SendingEnd
{
    /// <summary>The exchange is over. Requests of the message that are still open get no answer from the server.</summary>
    Over,

    /// <summary>The server does not speak this transport, and has not processed the message.</summary>
    Unsuitable,
}

/// <summary>The client side of one of MCP's HTTP transports.</summary>
internal abstract class UpstreamTransport
{
    /// <summary>Sends a message, and passes the server's answers on to the client.</summary>
    /// <param name="message">The message. Its requests are registered as open already.</param>
    /// <returns>A task that ends when the exchange is over, with the outcome.</returns>
    public abstract Task<SendingEnd> SendAsync(ClientMessage message);

    /// <summary>Called when an <c>initialize</c> has been answered with a result.</summary>
    /// <param name="message">The <c>initialize</c>.</param>
    /// <param name="answer">The result of the <c>initialize</c>.</param>
    public abstract void OnInitialized(ClientMessage message, InitializeAnswer answer);

    /// <summary>Closes the streams and ends the session. Never throws.</summary>
    public abstract Task EndAsync();
}
