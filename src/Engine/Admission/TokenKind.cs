using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Tells access tokens from the others that an issuer signs or knows: what says to be something else is (RFC 8725 §3.11).</summary>
/// <remarks>The same for the claims of a JWT and for an introspection answer, since both come from the same servers.</remarks>
internal static class TokenKind
{
    /// <summary>Where servers write it: RFC 7662 §2.2, Cognito and Hydra, OpenIddict, Keycloak, others.</summary>
    private static readonly string[] Members = ["token_type", "token_use", "token_usage", "typ", "use"];

    private static readonly string[] Others =
    [
        "id", "id_token", "refresh", "refresh_token", "offline", "logout", "logout_token", "code", "authorization_code", "device_code",
    ];

    private static readonly string[] AccessTokenTypes = ["JWT", "at+jwt"];

    /// <summary>Whether a JOSE header's <c>typ</c> is <c>at+jwt</c> (RFC 9068 §2.1), the general <c>JWT</c>, or absent.</summary>
    public static bool IsAccessTokenType(string? type) =>
        type is null || AccessTokenTypes.Contains(WithoutPrefix(type, "application/"), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether these claims are those of an ID token, a refresh token or another that opens nothing here.</summary>
    /// <remarks>Besides the words, by hashes that only ID tokens have (OpenID Connect Core §3.3.2.11).</remarks>
    public static bool IsAnother(JsonElement claims) =>
        claims.TryGetProperty("at_hash", out _)
        || claims.TryGetProperty("c_hash", out _)
        || Members.Any(member => claims.TextOf(member) is { } kind && NamesAnother(kind));

    private static bool NamesAnother(string kind)
    {
        // RFC 8693 §3 names kinds by URN, RFC 8725 by media type.
        string word = WithoutPrefix(WithoutPrefix(kind, "urn:ietf:params:oauth:token-type:"), "application/");
        return Others.Contains(word.Replace('-', '_'), StringComparer.OrdinalIgnoreCase)
            || (word.EndsWith("+jwt", StringComparison.OrdinalIgnoreCase) && !IsAccessTokenType(word));
    }

    private static string WithoutPrefix(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : text;
}
