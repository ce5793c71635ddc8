namespace McpProxyFast.OAuth.Grants;

/// <summary>What one provider needs in an authorization request besides the parameters of RFC 6749, so that its token can be renewed, or used at all.</summary>
/// <remarks>
/// Recognised by the authorization endpoint, which each of these providers has once for all customers. A row only adds parameters; it never replaces one of the
/// proxy's.
/// </remarks>
/// <param name="Name">The provider.</param>
/// <param name="Endpoint">The authorization endpoint, as its metadata and its manual have it.</param>
/// <param name="Parameters">What is added.</param>
internal sealed record AuthorizeDialect(string Name, string Endpoint, params (string Name, string Value)[] Parameters)
{
    /// <summary>The dialects, each with the provider's page that says so.</summary>
    public static IReadOnlyList<AuthorizeDialect> All { get; } =
    [
        // A refresh token comes for access_type=offline alone, and after the first time only if the person is asked again:
        // https://developers.google.com/identity/protocols/oauth2/web-server#offline
        new("Google", "https://accounts.google.com/o/oauth2/v2/auth", ("access_type", "offline"), ("prompt", "consent")),

        // The token is for the audience that is named, not for a resource; prompt=consent shows the screen that grants it:
        // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
        new("Atlassian", "https://auth.atlassian.com/authorize", ("audience", "api.atlassian.com"), ("prompt", "consent")),

        // Without it the token lives four hours and there is no refresh token: https://developers.dropbox.com/oauth-guide
        new("Dropbox", "https://www.dropbox.com/oauth2/authorize", ("token_access_type", "offline")),
    ];

    /// <returns>The dialect spoken there; null for none.</returns>
    public static AuthorizeDialect? At(string? authorizationEndpoint) => All.FirstOrDefault(dialect => dialect.Endpoint == authorizationEndpoint);
}
