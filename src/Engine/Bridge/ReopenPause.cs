namespace McpProxyFast.Bridge;

/// <summary>
/// Decides how long to wait before an event stream is opened again: as long as the server asked for, within bounds, and longer while no events come.
/// </summary>
/// <remarks>Each stream needs its own instance. Not thread-safe.</remarks>
internal sealed class ReopenPause
{
    /// <summary>The pause that the server has asked for last (<c>retry</c>), or the default if it has not asked for one.</summary>
    private TimeSpan _asked = BridgeLimits.DefaultRetry;

    /// <summary>The shortest pause, even if the server has asked for less. It doubles, within bounds, while no events come.</summary>
    private TimeSpan _least = BridgeLimits.MinRetry;

    /// <summary>Returns the pause after a stream that was opened and has ended.</summary>
    /// <param name="retry">The pause that the server has asked for on that stream; null if it has not asked for one.</param>
    /// <param name="hasBrought">Whether an event came on that stream.</param>
    public TimeSpan AfterStream(TimeSpan? retry, bool hasBrought)
    {
        _asked = Shorter(retry ?? _asked, BridgeLimits.MaxRetry);
        _least = hasBrought ? BridgeLimits.MinRetry : Shorter(_least, BridgeLimits.DefaultRetry);
        TimeSpan pause = Longer(_asked, _least);

        // _least doubles only up to the default here. A server that wants to be polled less often says so with retry.
        _least = Shorter(_least * 2, BridgeLimits.DefaultRetry);
        return pause;
    }

    /// <summary>Returns the pause after a failed attempt to open the stream.</summary>
    public TimeSpan AfterFailure()
    {
        _least = Shorter(Longer(_asked, _least) * 2, BridgeLimits.MaxRetry);
        return _least;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
