using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Which scopes to ask for.</summary>
internal static class ScopeChoice
{
    private const string OfflineAccess = "offline_access";

    /// <remarks>
    /// MCP 2025-11-25, scope selection: the operator's, else the challenge's, else all that the resource lists, else none. A step up asks for what was
    /// asked before as well (2026-07-28), since the new token replaces the old one.
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

    // An issuer given by hand and no word from the resource: an ordinary OpenID login, as `thv proxy` does it.
    private static bool IsPlainOpenId(OAuthPolicy policy, Protection protection) =>
        policy.Server.Issuer is not null && IsForAPerson(policy)
        && protection.Resource is null && protection.Server.ScopesSupported?.Contains("openid") == true;
}
