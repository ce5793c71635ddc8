namespace McpProxyFast.Bridge;

/// <summary>
/// Decides how long to wait before a new session is made for the server's own stream. A server that ends each session with its stream must not be asked for the
/// next one again and again without a pause.
/// </summary>
/// <remarks>It is not thread-safe: a transport has one stream at a time.</remarks>
/// <param name="clock">Measures how long ago the last session was lost.</param>
internal sealed class RecoveryPause(TimeProvider clock)
{
    /// <summary>When the last pause was asked for (a timestamp of the clock); null before that.</summary>
    private long? _lastAt;

    /// <summary>The last pause; zero if there was none, or no session was lost for a while before it.</summary>
    private TimeSpan _last;

    /// <summary>Returns the next pause: none if no session was lost for a while, otherwise twice the last one.</summary>
    public TimeSpan Next()
    {
        bool isRare = _lastAt is not { } at || clock.GetElapsedTime(at) - _last > BridgeLimits.MaxRetry;
        _lastAt = clock.GetTimestamp();
        _last = isRare ? TimeSpan.Zero
            : _last == TimeSpan.Zero ? BridgeLimits.DefaultRetry
            : 2 * _last < BridgeLimits.MaxRetry ? 2 * _last
            : BridgeLimits.MaxRetry;
        return _last;
    }
}
