using McpProxyFast.OAuth.Net;

namespace McpProxyFast.Credentials;

/// <summary>The last attempt's failure, and from when another one may be made.</summary>
/// <param name="Cause">What went wrong.</param>
/// <param name="Streak">How many attempts in a row have failed.</param>
/// <param name="RetryAt">When the next may be made.</param>
internal sealed record FailureState(OAuthException Cause, int Streak, DateTimeOffset RetryAt)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromMinutes(2);

    // What does not pass by itself is tried again rarely, so that a browser does not open again and again with nobody there.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(10);

    public static FailureState After(FailureState? last, OAuthException cause, DateTimeOffset now)
    {
        int streak = (last?.Streak ?? 0) + 1;
        (TimeSpan first, TimeSpan most) = cause.Failure is OAuthFailure.Transient ? (FirstBackoff, MaxBackoff) : (FirstPause, MaxPause);
        double seconds = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(streak, 16) - 1), most.TotalSeconds);
        return new FailureState(cause, streak, now + TimeSpan.FromSeconds(seconds));
    }

    public CredentialResult ToResult(DateTimeOffset now) => CredentialResult.Unavailable(RetryAt - now, Cause.Code, Cause.Message);
}
