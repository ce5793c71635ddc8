using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>
/// The times between which a token is valid, from its claims <c>exp</c> and <c>nbf</c>. Other times, such as <c>iat</c>, are not read.
/// </summary>
/// <param name="Expires">When the token expires (<c>exp</c>); null if the claims do not say.</param>
/// <param name="NotBefore">From when on the token is valid (<c>nbf</c>); null if the claims do not say.</param>
internal readonly record struct ClaimTimes(DateTimeOffset? Expires, DateTimeOffset? NotBefore)
{
    // The year 8307. A later time is replaced by this one, so that the sum with a clock skew cannot overflow.
    private const double MaxSeconds = 200_000_000_000;

    /// <summary>Reads both claims.</summary>
    /// <returns>False if one of them is present but is not a number (a NumericDate, RFC 7519 §2).</returns>
    public static bool TryRead(JsonElement claims, out ClaimTimes times)
    {
        bool isRead = TryRead(claims, "exp", out DateTimeOffset? expires) & TryRead(claims, "nbf", out DateTimeOffset? notBefore);
        times = new ClaimTimes(expires, notBefore);
        return isRead;
    }

    /// <summary>Returns why the token is not valid at this time (RFC 7519 §4.1.4, §4.1.5); null if it is valid.</summary>
    public string? FaultAt(DateTimeOffset now, TimeSpan skew) =>
        Expires <= now - skew ? "expired"
        : NotBefore > now + skew ? "not-yet-valid"
        : null;

    /// <summary>Returns the last time at which the token is accepted, or <paramref name="latest"/> if that is earlier.</summary>
    public DateTimeOffset EndBy(DateTimeOffset latest, TimeSpan skew) => Expires + skew is { } end && end < latest ? end : latest;

    /// <summary>
    /// Reads a time in seconds since 1970, with or without a fraction. A <c>null</c> is treated like a missing claim, since some servers write it if there is
    /// no value.
    /// </summary>
    private static bool TryRead(JsonElement claims, string name, out DateTimeOffset? time)
    {
        time = null;
        if (!claims.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null)
        {
            return true;
        }

        if (value.ValueKind is not JsonValueKind.Number || !value.TryGetDouble(out double seconds))
        {
            return false;
        }

        time = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MaxSeconds));
        return true;
    }
}
