using System.Buffers.Text;
using System.Text.Json;

namespace McpProxyFast.OAuth.Exchange;

/// <summary>
/// Reads the expiry of a JWT without checking its signature. A forged expiry only changes how long the forger's own token is kept in the cache.
/// </summary>
internal static class JwtLifetime
{
    /// <summary>Returns the claim <c>exp</c> of a JWT (RFC 7519 §4.1.4); null if the token is not a JWT, or the claim cannot be read.</summary>
    public static DateTimeOffset? EndOf(ReadOnlySpan<byte> token)
    {
        int first = token.IndexOf((byte)'.');
        int length = first < 0 ? -1 : token[(first + 1)..].IndexOf((byte)'.');
        if (length <= 0)
        {
            return null;
        }

        try
        {
            byte[] payload = Base64Url.DecodeFromUtf8(token.Slice(first + 1, length));
            using JsonDocument claims = JsonDocument.Parse(payload);
            bool isKnown = claims.RootElement.ValueKind is JsonValueKind.Object
                && claims.RootElement.TryGetProperty("exp"u8, out JsonElement exp)
                && exp.ValueKind is JsonValueKind.Number;
            return isKnown ? At(claims.RootElement.GetProperty("exp"u8).GetDouble()) : null;
        }
        catch (Exception odd) when (odd is FormatException or JsonException or InvalidOperationException)
        {
            return null; // an encrypted token, or not a JWT, or one with a member name that is not valid Unicode
        }
    }

    private static DateTimeOffset? At(double seconds)
    {
        const double latest = 253_402_300_799; // the end of the year 9999
        return seconds is > 0 and < latest ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;
    }
}
