using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>The few members of a JOSE header that the proxy acts on.</summary>
/// <remarks>Keys and their addresses in it (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) are never looked at (RFC 8725 §3.10).</remarks>
internal sealed record JwtHeader(string Algorithm, string? KeyId, string? Type, bool HasCritical)
{
    /// <summary>Whether a token has the form of a signed JWT: three parts, of which the first is meant as a JSON object. Allocates nothing.</summary>
    public static bool IsJwt(ReadOnlySpan<byte> token)
    {
        // A left brace is 01111011: `e` has its first six bits, and the last sixteen characters of the alphabet begin with the other two.
        bool isObject = token is [(byte)'e', (>= (byte)'w' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'_', ..];
        return isObject && token.Count((byte)'.') == 2 && Base64Url.IsValid(token[..token.IndexOf((byte)'.')]);
    }

    /// <summary>Reads the header of a signed JWT in compact form (RFC 7515 §7.1).</summary>
    /// <returns>Null if the token is something else: see <see cref="IsJwt"/>.</returns>
    /// <exception cref="JsonException">It is a JWT, and its header is malformed.</exception>
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

    /// <summary>A member that must be a string if it is present.</summary>
    private static string? Text(JsonElement header, string name) =>
        header.TextOf(name) ?? (header.TryGetProperty(name, out _) ? throw new JsonException($"{name} is not a string.") : null);
}
