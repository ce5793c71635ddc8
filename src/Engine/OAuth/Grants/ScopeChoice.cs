using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Chooses the scopes that a sign-in asks for.</summary>
internal static class ScopeChoice
{
    private const string OfflineAccess = "offline_access";

    /// <remarks>
    /// MCP 2025-11-25, scope selection: the operator's scopes, or else those in the challenge, or else all that the resource lists, or else none. The scopes
    /// that were asked for before are always added (2026-07-28), since the new token replaces the old one.
    /// </remarks>
    public static IReadOnlyList<string> For(OAuthPolicy policy, Protection protection, Challenge? challenge, IEnumerable<string> askedBefore)
    {
        string[] challenged = Split(challenge?.Scope);
        List<string> wanted = policy.Scopes.Count > 0 ? [.. policy.Scopes]
            : challenged.Length > 0 ? [.. challenged]
            : protection.ScopesSupported.Count > 0 ? [.. protection.ScopesSupported]
            : IsPlainOpenId(policy, protection) ? ["openid", "profile", "email"]
            : [];
        wanted = [.. askedBefore.Concat(wanted).Concat(challenge?.Error == "insufficient_scope" ? challenged : []).Distinct()];
        bool isOffered = protection.Server.ScopesSupported?.Contains(OfflineAccess) == true;
        if (isOffered && policy.Scopes.Count == 0 && IsForAPerson(policy) && !wanted.Contains(OfflineAccess))
        {
            wanted.Add(OfflineAccess);
        }

        return wanted;
    }

    public static string[] Split(string? scope) => scope?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public static bool IsForAPerson(OAuthPolicy policy) => policy.Grant.NeedsPerson;

    // Whether this is an ordinary OpenID login: the operator has named the issuer, which offers `openid`, and no resource indicator is sent. `thv proxy` asks
    // for the same scopes.
    private static bool IsPlainOpenId(OAuthPolicy policy, Protection protection) =>
        policy.Server.Issuer is not null && IsForAPerson(policy)
        && protection.Resource is null && protection.Server.ScopesSupported?.Contains("openid") == true;
}
