namespace McpProxyFast;

/// <summary>The settings of a <see cref="McpBridge"/>.</summary>
public sealed record McpBridgeOptions
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromDays(1);

    /// <summary>The server and how to reach it: its URL, the credential, trusted certificates, limits, the log, the clock.</summary>
    /// <remarks>
    /// These options have no effect: those for a listener and for incoming tokens, the lists of allowed hosts and origins,
    /// <see cref="McpProxyOptions.ForwardedFields"/>, and <see cref="ProxyLimits.MaxRequestBodyBytes"/>. <see cref="ProxyLimits.DrainTimeout"/> is how long the
    /// bridge waits for responses to open requests after the client's input has ended.
    /// </remarks>
    public required McpProxyOptions Upstream { get; init; }

    /// <summary>The MCP transport that the bridge uses with the server.</summary>
    /// <value>Default <see cref="McpBridgeTransport.Auto"/>.</value>
    public McpBridgeTransport Transport { get; init; }

    /// <summary>Whether the bridge translates if client and server use revisions of MCP that are not compatible.</summary>
    /// <value>Default <see cref="McpBridgeProtocol.Auto"/>.</value>
    public McpBridgeProtocol Protocol { get; init; }

    /// <summary>How long a request waits for a server that cannot be reached. Then the client gets an error.</summary>
    /// <value>0 s to 24 h. Default 60 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ReconnectTimeout
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= MaxTime
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ReconnectTimeout), value, "ReconnectTimeout must lie between 0 s and 24 h.");
    } = TimeSpan.FromSeconds(60);

    /// <summary>The names of tools that the client does not see. <c>*</c> stands for any number of characters, <c>?</c> for one.</summary>
    /// <value>Default empty. The bridge removes these tools from the server's lists, and refuses calls to them.</value>
    public IReadOnlyList<string> IgnoredTools { get; init; } = [];
}
