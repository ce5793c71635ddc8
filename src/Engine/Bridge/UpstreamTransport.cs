namespace McpProxyFast.Bridge;

/// <summary>How a transport is done with a message.</summary>
internal enum SendingEnd
{
    /// <summary>Nothing more comes of it. Requests that are still open get no answer from the server.</summary>
    Over,

    /// <summary>The server does not speak this transport; nothing has come of the message.</summary>
    Unsuitable,
}

/// <summary>One of the transports of MCP, as a client of the server.</summary>
internal abstract class UpstreamTransport
{
    /// <summary>Sends a message and passes on what comes of it.</summary>
    /// <param name="message">Its requests are open.</param>
    /// <returns>When nothing more comes of it.</returns>
    public abstract Task<SendingEnd> SendAsync(ClientMessage message);

    /// <summary>An <c>initialize</c> has been answered with a result.</summary>
    /// <param name="message">The <c>initialize</c>.</param>
    /// <param name="answer">What it said.</param>
    public abstract void OnInitialized(ClientMessage message, InitializeAnswer answer);

    /// <summary>Ends what runs by itself, and the session. Never throws.</summary>
    public abstract Task EndAsync();
}
