using System.Buffers.Text;
using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>The few members of a JOSE header that the proxy acts on.</summary>
/// <remarks>Keys and their addresses in it (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) are never looked at (RFC 8725 §3.10).</remarks>
internal sealed record JwtHeader(string Algorithm, string? KeyId, string? Type, bool HasCritical)
{
    /// <summary>Reads the header of a signed JWT in compact form (RFC 7515 §7.1).</summary>
    /// <returns>Null if the token is something else: it does not have three parts, or the first is not a JSON object.</returns>
    /// <exception cref="JsonException">It is a JWT, and its header is malformed.</exception>
    public static JwtHeader? Read(string token)
    {
        int end = token.IndexOf('.');
        if (end <= 0 || token.Count(character => character == '.') != 2 || !Base64Url.IsValid(token.AsSpan(0, end)))
        {
            return null;
        }

        byte[] json = Base64Url.DecodeFromChars(token.AsSpan(0, end));
        if (!json.AsSpan().StartsWith("{"u8))
        {
            return null;
        }

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
