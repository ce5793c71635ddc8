using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>The members of a JOSE header that the proxy uses.</summary>
/// <remarks>Keys and URLs of keys in the header (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) are never used (RFC 8725 §3.10).</remarks>
internal sealed record JwtHeader(string Algorithm, string? KeyId, string? Type, bool HasCritical)
{
    /// <summary>Whether a token has the form of a signed JWT: three parts, the first of which starts like a JSON object. Allocates nothing.</summary>
    public static bool IsJwt(ReadOnlySpan<byte> token)
    {
        // A left brace is 01111011. In Base64 its first six bits are the letter `e`, and the other two bits limit the second letter to 16 characters.
        bool isObject = token is [(byte)'e', (>= (byte)'w' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'_', ..];
        return isObject && token.Count((byte)'.') == 2 && Base64Url.IsValid(token[..token.IndexOf((byte)'.')]);
    }

    /// <summary>Reads the header of a signed JWT in compact form (RFC 7515 §7.1).</summary>
    /// <returns>The header; null if the token is not a JWT (see <see cref="IsJwt"/>).</returns>
    /// <exception cref="JsonException">The token has the form of a JWT, but its header is malformed.</exception>
    public static JwtHeader? Read(string token)
    {
        if (!IsJwt(Encoding.ASCII.GetBytes(token)))
        {
            return null;
        }

        byte[] json = Base64Url.DecodeFromChars(token.AsSpan(0, token.IndexOf('.')));
        using JsonDocument document = StrictJson.Parse(json);
        JsonElement header = document.RootElement;
        return new JwtHeader(
            Text(header, "alg") ?? throw new JsonException("The header has no alg."),
            Text(header, "kid"),
            Text(header, "typ"),
            header.TryGetProperty("crit", out _));
    }

    /// <summary>Reads a member that must be a string if it is present.</summary>
    private static string? Text(JsonElement header, string name) =>
        header.TextOf(name) ?? (header.TryGetProperty(name, out _) ? throw new JsonException($"{name} is not a string.") : null);
}
