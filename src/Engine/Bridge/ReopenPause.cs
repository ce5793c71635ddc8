namespace McpProxyFast.Bridge;

/// <summary>
/// Decides how long to wait before a server's stream is opened again: as long as the server asked for, within bounds, and longer if no messages come.
/// </summary>
/// <remarks>Each stream has one of its own. It is not thread-safe.</remarks>
internal sealed class ReopenPause
{
    /// <summary>The pause that the server has asked for last (<c>retry</c>); before that, the default.</summary>
    private TimeSpan _asked = BridgeLimits.DefaultRetry;

    /// <summary>The shortest pause that is used, whatever the server has asked for. It doubles while no messages come.</summary>
    private TimeSpan _least = BridgeLimits.MinRetry;

    /// <summary>Returns the pause after a stream that was open.</summary>
    /// <param name="retry">The pause that the server has asked for on that stream; null if none.</param>
    /// <param name="hasBrought">Whether an event came on that stream.</param>
    public TimeSpan AfterStream(TimeSpan? retry, bool hasBrought)
    {
        _asked = Shorter(retry ?? _asked, BridgeLimits.MaxRetry);
        _least = hasBrought ? BridgeLimits.MinRetry : Shorter(_least, BridgeLimits.DefaultRetry);
        TimeSpan pause = Longer(_asked, _least);

        // It doubles only up to the default: a server that wants to be polled less often says so with retry.
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
