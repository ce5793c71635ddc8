using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>When a token holds, by its own account: <c>exp</c> and <c>nbf</c>. Its other times, such as <c>iat</c>, decide nothing and are not read.</summary>
/// <param name="Expires">Null if the claims name none.</param>
/// <param name="NotBefore">Null if the claims name none.</param>
internal readonly record struct ClaimTimes(DateTimeOffset? Expires, DateTimeOffset? NotBefore)
{
    // The year 8307: what lies beyond is as good as for ever, and leaves room for a clock skew.
    private const double MaxSeconds = 200_000_000_000;

    /// <summary>Reads both.</summary>
    /// <returns>False if one of them is there and no NumericDate (RFC 7519 §2): not a number.</returns>
    public static bool TryRead(JsonElement claims, out ClaimTimes times)
    {
        bool isRead = TryRead(claims, "exp", out DateTimeOffset? expires) & TryRead(claims, "nbf", out DateTimeOffset? notBefore);
        times = new ClaimTimes(expires, notBefore);
        return isRead;
    }

    /// <summary>Why the token does not hold at this moment, or null (RFC 7519 §4.1.4, §4.1.5).</summary>
    public string? FaultAt(DateTimeOffset now, TimeSpan skew) =>
        Expires <= now - skew ? "expired"
        : NotBefore > now + skew ? "not-yet-valid"
        : null;

    /// <summary>The last moment at which the token is accepted, or the given one if that is earlier.</summary>
    public DateTimeOffset EndBy(DateTimeOffset latest, TimeSpan skew) => Expires + skew is { } end && end < latest ? end : latest;

    /// <summary>Seconds since 1970, whole or not; <c>null</c> is as absent, since servers write it for "none".</summary>
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
