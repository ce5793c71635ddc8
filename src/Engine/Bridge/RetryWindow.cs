namespace McpProxyFast.Bridge;

/// <summary>How long one message is tried again: while the server is gone, and while a person has to sign in.</summary>
/// <param name="clock">Measures the waits.</param>
/// <param name="reconnectTimeout">How long it is tried while the server is gone.</param>
/// <param name="signInTimeout">How long it is tried while a person has to sign in.</param>
internal sealed class RetryWindow(TimeProvider clock, TimeSpan reconnectTimeout, TimeSpan signInTimeout)
{
    /// <summary>When the first attempt failed; null before.</summary>
    private long? _firstFailure;

    /// <summary>The pause before the next attempt.</summary>
    private TimeSpan _pause = BridgeLimits.FirstPause;

    /// <param name="settings">The bounds, and the clock.</param>
    /// <param name="waitsForPerson">Whether the message waits for a sign-in, as a session's first one does.</param>
    public RetryWindow(BridgeSettings settings, bool waitsForPerson)
        : this(settings.Clock, settings.ReconnectTimeout, waitsForPerson ? settings.SignInTimeout : TimeSpan.Zero)
    {
    }

    /// <summary>Waits before another attempt, if there is to be one.</summary>
    /// <returns>Whether to try again.</returns>
    public async ValueTask<bool> PauseAsync(ErrorAnswer error, CancellationToken cancellationToken)
    {
        TimeSpan bound = error.IsNotConnected ? reconnectTimeout : error.IsNotSignedIn ? signInTimeout : TimeSpan.Zero;
        return await PauseAsync(bound, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before another attempt, unless the bound is over.</summary>
    public async ValueTask<bool> PauseAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        _firstFailure ??= clock.GetTimestamp();
        TimeSpan left = bound - clock.GetElapsedTime(_firstFailure.Value);
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        // Many messages may wait for the same server: they come back one after another.
        TimeSpan pause = _pause * (0.75 + (Random.Shared.NextDouble() / 2));
        await Task.Delay(pause < left ? pause : left, clock, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < BridgeLimits.MaxPause ? _pause * 2 : BridgeLimits.MaxPause;
        return true;
    }

    /// <summary>The server was there again.</summary>
    public void Restart() => (_firstFailure, _pause) = (null, BridgeLimits.FirstPause);
}
