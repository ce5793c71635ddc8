namespace McpProxyFast.Bridge;

/// <summary>How long one message is tried again: while the server is gone, and while a person has to sign in.</summary>
/// <param name="settings">The bounds, and the clock.</param>
/// <param name="waitsForPerson">Whether the message waits for a sign-in, as a session's first one does.</param>
internal sealed class RetryWindow(BridgeSettings settings, bool waitsForPerson)
{
    /// <summary>When the first attempt failed; null before.</summary>
    private long? _firstFailure;

    /// <summary>The pause before the next attempt.</summary>
    private TimeSpan _pause = BridgeLimits.FirstPause;

    /// <summary>Waits before another attempt, if there is to be one.</summary>
    /// <returns>Whether to try again.</returns>
    public async ValueTask<bool> PauseAsync(ErrorAnswer error, CancellationToken cancellationToken)
    {
        TimeSpan bound = error.IsNotConnected ? settings.ReconnectTimeout
            : error.IsNotSignedIn && waitsForPerson ? settings.SignInTimeout
            : TimeSpan.Zero;
        return await PauseAsync(bound, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before another attempt, unless the bound is over.</summary>
    public async ValueTask<bool> PauseAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        _firstFailure ??= settings.Clock.GetTimestamp();
        TimeSpan left = bound - settings.Clock.GetElapsedTime(_firstFailure.Value);
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        // Many messages may wait for the same server: they come back one after another.
        TimeSpan pause = _pause * (0.75 + (Random.Shared.NextDouble() / 2));
        await Task.Delay(pause < left ? pause : left, settings.Clock, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < BridgeLimits.MaxPause ? _pause * 2 : BridgeLimits.MaxPause;
        return true;
    }

    /// <summary>The server was there again.</summary>
    public void Restart() => (_firstFailure, _pause) = (null, BridgeLimits.FirstPause);
}
