namespace McpProxyFast.Bridge;

/// <summary>How long to wait before a server's stream is opened again: what the server asked for, within bounds; longer if no messages come.</summary>
/// <remarks>For one stream, and not for several threads at once.</remarks>
internal sealed class ReopenPause
{
    /// <summary>What the server has asked for last; the default before.</summary>
    private TimeSpan _asked = BridgeLimits.DefaultRetry;

    /// <summary>The pause is at least that long, whatever the server has asked for. Doubles while nothing comes.</summary>
    private TimeSpan _least = BridgeLimits.MinRetry;

    /// <summary>The pause after a stream that was open.</summary>
    /// <param name="retry">What the server has asked for on it; null for nothing.</param>
    /// <param name="hasBrought">Whether a message came on it.</param>
    public TimeSpan AfterStream(TimeSpan? retry, bool hasBrought)
    {
        _asked = Shorter(retry ?? _asked, BridgeLimits.MaxRetry);
        _least = hasBrought ? BridgeLimits.MinRetry : Shorter(_least, BridgeLimits.DefaultRetry);
        TimeSpan pause = Longer(_asked, _least);

        // No longer than that: a server that is asked now and then while it works says itself how often.
        _least = Shorter(_least * 2, BridgeLimits.DefaultRetry);
        return pause;
    }

    /// <summary>The pause after an attempt that has opened no stream.</summary>
    public TimeSpan AfterFailure()
    {
        _least = Shorter(Longer(_asked, _least) * 2, BridgeLimits.MaxRetry);
        return _least;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
