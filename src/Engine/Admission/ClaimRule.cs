using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Takes caller and scopes out of claims that have been verified, the same for a JWT's payload and an introspection answer.</summary>
internal sealed class ClaimRule(IReadOnlyCollection<string> requiredScopes)
{
    /// <summary>The last verdict on a token: whom it speaks for, and whether it may do enough.</summary>
    public TokenVerdict Decide(JsonElement claims, DateTimeOffset reusableUntil)
    {
        string? caller = claims.TextOf("sub") ?? claims.TextOf("client_id");
        if (!TokenVerdict.IsCaller(caller))
        {
            return TokenVerdict.Invalid(caller is null ? "no-subject" : "subject-unfit");
        }

        HashSet<string> granted = [.. Values(claims, "scope"), .. Values(claims, "scp")];
        return requiredScopes.All(granted.Contains) ? TokenVerdict.Admit(caller!, reusableUntil) : TokenVerdict.InsufficientScope();
    }

    /// <summary>A claim that identity providers write as one string of words or as an array of strings: <c>scope</c> (RFC 8693 §4.2), <c>scp</c>.</summary>
    private static string[] Values(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out JsonElement value))
        {
            return [];
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            JsonValueKind.Array => [.. value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!)],
            _ => [],
        };
    }
}
