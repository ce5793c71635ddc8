namespace McpProxyFast.Bridge;

/// <summary>Decides how long one message is sent again and again: while the server cannot be reached, and while a person has to sign in.</summary>
/// <param name="settings">The settings of the conversation, with the time limits and the clock.</param>
/// <param name="waitsForPerson">Whether the message waits while a person has to sign in. The first message of a session does.</param>
internal sealed class RetryWindow(BridgeSettings settings, bool waitsForPerson)
{
    /// <summary>When the first attempt failed (a timestamp of the clock); null before that.</summary>
    private long? _firstFailure;

    /// <summary>The pause before the next attempt.</summary>
    private TimeSpan _pause = BridgeLimits.FirstPause;

    /// <summary>Waits before another attempt, if the error allows one and the time for it is not over.</summary>
    /// <returns>Whether to try again.</returns>
    public async ValueTask<bool> PauseAsync(ErrorAnswer error, CancellationToken cancellationToken)
    {
        TimeSpan bound = error.IsNotConnected ? settings.ReconnectTimeout
            : error.IsNotSignedIn && waitsForPerson ? settings.SignInTimeout
            : TimeSpan.Zero;
        return await PauseAsync(bound, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before another attempt, unless the time since the first failure is over.</summary>
    public async ValueTask<bool> PauseAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        _firstFailure ??= settings.Clock.GetTimestamp();
        TimeSpan left = bound - settings.Clock.GetElapsedTime(_firstFailure.Value);
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        // Many messages may wait for the same server. Random pauses keep them from being sent all at once.
        TimeSpan pause = _pause * (0.75 + (Random.Shared.NextDouble() / 2));
        await Task.Delay(pause < left ? pause : left, settings.Clock, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < BridgeLimits.MaxPause ? _pause * 2 : BridgeLimits.MaxPause;
        return true;
    }

    /// <summary>Starts anew, since the server has answered.</summary>
    public void Restart() => (_firstFailure, _pause) = (null, BridgeLimits.FirstPause);
}
