namespace McpProxyFast.Bridge;

/// <summary>Decides how long one request is sent again and again: while the server cannot be reached, and while a person has to sign in.</summary>
/// <param name="clock">Measures the waits.</param>
/// <param name="reconnectTimeout">How long the request is sent again while the server cannot be reached.</param>
/// <param name="signInTimeout">How long the request is sent again while a person has to sign in.</param>
internal sealed class RetryWindow(TimeProvider clock, TimeSpan reconnectTimeout, TimeSpan signInTimeout)
{
    /// <summary>When the first attempt failed (a timestamp of the clock); null if none has failed since the server last answered.</summary>
    private long? _firstFailure;

    /// <summary>The pause before the next attempt.</summary>
    private TimeSpan _pause = BridgeLimits.FirstPause;

    /// <param name="settings">The settings of the conversation, with the time limits and the clock.</param>
    /// <param name="waitsForPerson">Whether the request is also sent again while a person has to sign in.</param>
    public RetryWindow(BridgeSettings settings, bool waitsForPerson)
        : this(settings.Clock, settings.ReconnectTimeout, waitsForPerson ? settings.SignInTimeout : TimeSpan.Zero)
    {
    }

    /// <summary>Waits before another attempt, if the error allows another attempt and its time limit has not passed.</summary>
    /// <returns>Whether to try again.</returns>
    public async ValueTask<bool> PauseAsync(ErrorAnswer error, CancellationToken cancellationToken)
    {
        TimeSpan bound = error.IsNotConnected ? reconnectTimeout : error.IsNotSignedIn ? signInTimeout : TimeSpan.Zero;
        return await PauseAsync(bound, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before another attempt, unless <paramref name="bound"/> has passed since the first failure. Returns whether to try again.</summary>
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

    /// <summary>Forgets the failures so far. Called when the server has answered.</summary>
    public void Restart() => (_firstFailure, _pause) = (null, BridgeLimits.FirstPause);
}
