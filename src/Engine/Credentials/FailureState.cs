using McpProxyFast.OAuth.Net;

namespace McpProxyFast.Credentials;

/// <summary>
/// The failure of the last attempt, and the pause before the next one. The pause is measured by monotonic timestamps, so changing the system clock has no
/// effect.
/// </summary>
/// <param name="Cause">The exception that the attempt ended with.</param>
/// <param name="Streak">How many attempts in a row have failed.</param>
/// <param name="Pause">The pause before the next attempt.</param>
/// <param name="Since">The timestamp of the failure.</param>
internal sealed record FailureState(OAuthException Cause, int Streak, TimeSpan Pause, long Since)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromMinutes(2);

    // These pauses apply if only a person can end the failure. They are long, so that a browser is not opened again and again when nobody is there.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(10);

    public static FailureState After(FailureState? last, OAuthException cause, TimeProvider clock)
    {
        int streak = (last?.Streak ?? 0) + 1;
        (TimeSpan first, TimeSpan most) = cause.Failure is OAuthFailure.Transient ? (FirstBackoff, MaxBackoff) : (FirstPause, MaxPause);
        double seconds = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(streak, 16) - 1), most.TotalSeconds);
        return new FailureState(cause, streak, TimeSpan.FromSeconds(seconds), clock.GetTimestamp());
    }

    /// <summary>Returns the rest of the pause; zero or negative if another attempt may be made.</summary>
    public TimeSpan Left(TimeProvider clock) => Pause - clock.GetElapsedTime(Since);

    public CredentialResult ToResult(TimeProvider clock) => CredentialResult.Unavailable(Left(clock), Cause.Code, Cause.Message);
}
