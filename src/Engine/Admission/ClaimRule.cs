using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Decides by the claims of a token that its issuer stands for: the same for a JWT's payload and for an introspection answer.</summary>
internal sealed class ClaimRule(ClaimsPolicy policy)
{
    /// <summary>RFC 7662 §2.2 and RFC 9068 §2.2; OpenID Connect Core §2.</summary>
    private static readonly string[] ClientMembers = ["client_id", "azp"];

    /// <summary>Why the token is not for us, or null: another kind, another audience, another client.</summary>
    public string? FaultOf(JsonElement claims) =>
        TokenKind.IsAnother(claims) ? "not-an-access-token"
        : !IsForUs(claims) ? "wrong-audience"
        : !IsOfAllowedClient(claims) ? "client-not-allowed"
        : null;

    /// <summary>The last verdict on a token: whom it speaks for, and whether it may do enough.</summary>
    /// <param name="claims">What the issuer says of the token.</param>
    /// <param name="reusableUntil">Until when the verdict holds.</param>
    /// <param name="expires">When the token ends; null if the claims do not say it.</param>
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

    /// <summary>RFC 7519 §4.1.3. A token without <c>aud</c> is for us only if the operator names clients, by one of which it then has to be.</summary>
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

    /// <summary>All members that name the client have to agree, so that it does not matter which of them a reader takes.</summary>
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

    /// <summary>A claim that identity providers write as one string of words or as an array of strings: <c>scope</c> (RFC 8693 §4.2), <c>scp</c>.</summary>
    private static IEnumerable<string> Words(JsonElement claims, string name) =>
        !claims.TryGetProperty(name, out JsonElement value) ? []
        : value.ValueKind is JsonValueKind.String ? value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : Texts(value);

    /// <summary>A string or an array of strings; whatever else is in it names nothing.</summary>
    private static IEnumerable<string> Texts(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind is not JsonValueKind.Array ? []
        : value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!);
}
