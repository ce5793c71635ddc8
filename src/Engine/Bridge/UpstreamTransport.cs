namespace McpProxyFast.Bridge;

/// <summary>How the sending of a message ended.</summary>
internal enum SendingEnd
{
    /// <summary>It has ended. Requests that are still open get no answer from the server.</summary>
    Over,

    /// <summary>The server does not speak this transport; the message has had no effect.</summary>
    Unsuitable,
}

/// <summary>One of the transports of MCP, as a client of the server.</summary>
internal abstract class UpstreamTransport
{
    /// <summary>Sends a message and passes on what the server answers.</summary>
    /// <param name="message">The message; its requests are open already.</param>
    /// <returns>When the server's answer is complete.</returns>
    public abstract Task<SendingEnd> SendAsync(ClientMessage message);

    /// <summary>An <c>initialize</c> has been answered with a result.</summary>
    /// <param name="message">The <c>initialize</c>.</param>
    /// <param name="answer">The result of the <c>initialize</c>.</param>
    public abstract void OnInitialized(ClientMessage message, InitializeAnswer answer);

    /// <summary>Ends the background work and the session. Never throws.</summary>
    public abstract Task EndAsync();
}
