namespace McpProxyFast.Bridge;

/// <summary>Decides how long one message is sent again and again: while the server cannot be reached, and while a person has to sign in.</summary>
/// <param name="clock">Measures the waits.</param>
/// <param name="reconnectTimeout">How long the message is sent again while the server cannot be reached.</param>
/// <param name="signInTimeout">How long the message is sent again while a person has to sign in.</param>
internal sealed class RetryWindow(TimeProvider clock, TimeSpan reconnectTimeout, TimeSpan signInTimeout)
{
    /// <summary>When the first attempt failed (a timestamp of the clock); null before that.</summary>
    private long? _firstFailure;

    /// <summary>The pause before the next attempt.</summary>
    private TimeSpan _pause = BridgeLimits.FirstPause;

    /// <param name="settings">The settings of the conversation, with the time limits and the clock.</param>
    /// <param name="waitsForPerson">Whether the message waits while a person has to sign in. The first message of a session does.</param>
    public RetryWindow(BridgeSettings settings, bool waitsForPerson)
        : this(settings.Clock, settings.ReconnectTimeout, waitsForPerson ? settings.SignInTimeout : TimeSpan.Zero)
    {
    }

    /// <summary>Waits before another attempt, if the error allows one and the time for it is not over.</summary>
    /// <returns>Whether to try again.</returns>
    public async ValueTask<bool> PauseAsync(ErrorAnswer error, CancellationToken cancellationToken)
    {
        TimeSpan bound = error.IsNotConnected ? reconnectTimeout : error.IsNotSignedIn ? signInTimeout : TimeSpan.Zero;
        return await PauseAsync(bound, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before another attempt, unless the time since the first failure is over.</summary>
    public async ValueTask<bool> PauseAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        _firstFailure ??= clock.GetTimestamp();
        TimeSpan left = bound - clock.GetElapsedTime(_firstFailure.Value);
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        // Many messages may wait for the same server. Random pauses keep them from being sent all at once.
        TimeSpan pause = _pause * (0.75 + (Random.Shared.NextDouble() / 2));
        await Task.Delay(pause < left ? pause : left, clock, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < BridgeLimits.MaxPause ? _pause * 2 : BridgeLimits.MaxPause;
        return true;
    }

    /// <summary>Starts anew, since the server has answered.</summary>
    public void Restart() => (_firstFailure, _pause) = (null, BridgeLimits.FirstPause);
}
