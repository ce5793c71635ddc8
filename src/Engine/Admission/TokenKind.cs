using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Distinguishes access tokens from other tokens of an issuer. A token that claims to be of another kind is refused (RFC 8725 §3.11).</summary>
/// <remarks>The claims of a JWT and of an introspection answer are checked in the same way, since the same servers make both.</remarks>
internal static class TokenKind
{
    /// <summary>
    /// The claims in which servers name the kind of a token. In order: RFC 7662 §2.2, Cognito and Hydra, OpenIddict, Keycloak, other servers.
    /// </summary>
    private static readonly string[] Members = ["token_type", "token_use", "token_usage", "typ", "use"];

    private static readonly string[] Others =
    [
        "id", "id_token", "refresh", "refresh_token", "offline", "logout", "logout_token", "code", "authorization_code", "device_code",
    ];

    private static readonly string[] AccessTokenTypes = ["JWT", "at+jwt"];

    /// <summary>Whether a JOSE header's <c>typ</c> is <c>at+jwt</c> (RFC 9068 §2.1), the general <c>JWT</c>, or absent.</summary>
    public static bool IsAccessTokenType(string? type) =>
        type is null || AccessTokenTypes.Contains(WithoutPrefix(type, "application/"), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the claims show that the token is not an access token, but an ID token, a refresh token or another kind.</summary>
    /// <remarks>An ID token is also recognized by hash claims that only ID tokens have (OpenID Connect Core §3.3.2.11).</remarks>
    public static bool IsAnother(JsonElement claims) =>
        claims.TryGetProperty("at_hash", out _)
        || claims.TryGetProperty("c_hash", out _)
        || Members.Any(member => claims.TextOf(member) is { } kind && NamesAnother(kind));

    private static bool NamesAnother(string kind)
    {
        // The kind may be a URN (RFC 8693 §3) or a media type (RFC 8725 §3.11).
        string word = WithoutPrefix(WithoutPrefix(kind, "urn:ietf:params:oauth:token-type:"), "application/");
        return Others.Contains(word.Replace('-', '_'), StringComparer.OrdinalIgnoreCase)
            || (word.EndsWith("+jwt", StringComparison.OrdinalIgnoreCase) && !IsAccessTokenType(word));
    }

    private static string WithoutPrefix(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : text;
}
