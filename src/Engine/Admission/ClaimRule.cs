using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Checks claims that the issuer has confirmed: the payload of a JWT with a valid signature, or the response of an introspection endpoint.</summary>
internal sealed class ClaimRule(ClaimsPolicy policy)
{
    /// <summary>The claims that name the client (RFC 7662 §2.2 and RFC 9068 §2.2; OpenID Connect Core §2).</summary>
    private static readonly string[] ClientMembers = ["client_id", "azp"];

    /// <summary>Returns why the token is not valid for this proxy (wrong kind of token, audience or client); null if it is valid.</summary>
    public string? FaultOf(JsonElement claims) =>
        TokenKind.IsAnother(claims) ? "not-an-access-token"
        : !IsForUs(claims) ? "wrong-audience"
        : !IsOfAllowedClient(claims) ? "client-not-allowed"
        : null;

    /// <summary>Makes the final verdict on a token: who the caller is, and whether the token has the required scopes.</summary>
    /// <param name="claims">The token's claims.</param>
    /// <param name="reusableUntil">Until when the verdict may be reused.</param>
    /// <param name="expires">When the token expires; null if the claims do not say.</param>
    public TokenVerdict Decide(JsonElement claims, DateTimeOffset reusableUntil, DateTimeOffset? expires)
    {
        string? caller = claims.TextOf("sub") ?? claims.TextOf("client_id");
        if (!TokenVerdict.IsCaller(caller))
        {
            return TokenVerdict.Invalid(caller is null ? "no-subject" : "subject-unfit");
        }

        HashSet<string> granted = [.. Words(claims, "scope"), .. Words(claims, "scp")];
        return policy.RequiredScopes.All(granted.Contains) ? TokenVerdict.Admit(caller!, reusableUntil, expires) : TokenVerdict.InsufficientScope();
    }

    /// <summary>
    /// Whether the token's audience is this proxy (RFC 7519 §4.1.3); true if the policy lists no audiences. A token without <c>aud</c> passes only if the
    /// policy lists clients; then <see cref="IsOfAllowedClient"/> checks that it is from one of them.
    /// </summary>
    private bool IsForUs(JsonElement claims)
    {
        if (policy.Audiences.Count == 0)
        {
            return true;
        }

        return claims.TryGetProperty("aud", out JsonElement audience) && audience.ValueKind is not JsonValueKind.Null
            ? Texts(audience).Any(policy.Audiences.Contains)
            : policy.AllowedClients.Count > 0;
    }

    /// <summary>
    /// Whether the token is from one of the clients that the policy lists; true if it lists none. Each claim that names the client must have a listed value,
    /// since programs differ in which claim they read.
    /// </summary>
    private bool IsOfAllowedClient(JsonElement claims)
    {
        if (policy.AllowedClients.Count == 0)
        {
            return true;
        }

        JsonElement[] named = [.. ClientMembers.Where(name => claims.TryGetProperty(name, out _)).Select(name => claims.GetProperty(name))];
        return named.Length > 0
            && Array.TrueForAll(named, client => client.ValueKind is JsonValueKind.String && policy.AllowedClients.Contains(client.GetString()!));
    }

    /// <summary>Reads a claim that is either one string of words or an array of strings: <c>scope</c> (RFC 8693 §4.2), <c>scp</c>.</summary>
    private static IEnumerable<string> Words(JsonElement claims, string name) =>
        !claims.TryGetProperty(name, out JsonElement value) ? []
        : value.ValueKind is JsonValueKind.String ? value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : Texts(value);

    /// <summary>Reads a string or an array of strings. Anything else is ignored.</summary>
    private static IEnumerable<string> Texts(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind is not JsonValueKind.Array ? []
        : value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!);
}
