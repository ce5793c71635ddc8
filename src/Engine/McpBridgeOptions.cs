namespace McpProxyFast;

/// <summary>Everything that a host sets for a <see cref="McpBridge"/>.</summary>
public sealed record McpBridgeOptions
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromDays(1);

    /// <summary>The server, and all that concerns the way to it: its address, the credential, trust, limits, the log, the clock.</summary>
    /// <remarks>
    /// What concerns a listener has no effect. <see cref="ProxyLimits.DrainTimeout"/> is how long answers are waited for when the client sends no more.
    /// </remarks>
    public required McpProxyOptions Upstream { get; init; }

    /// <summary>The transport.</summary>
    public McpBridgeTransport Transport { get; init; }

    /// <summary>Whether eras are joined.</summary>
    public McpBridgeProtocol Protocol { get; init; }

    /// <summary>How long requests wait while the server is gone, before each gets an error.</summary>
    /// <value>0 s to 24 h. Default 60 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ReconnectTimeout
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= MaxTime
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ReconnectTimeout), value, "ReconnectTimeout must lie between 0 s and 24 h.");
    } = TimeSpan.FromSeconds(60);

    /// <summary>Tools that the client does not see: <c>*</c> stands for any characters, <c>?</c> for one.</summary>
    /// <value>Default empty. Lists lose them, and calls of them are refused.</value>
    public IReadOnlyList<string> IgnoredTools { get; init; } = [];
}
