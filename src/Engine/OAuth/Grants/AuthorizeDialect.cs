namespace McpProxyFast.OAuth.Grants;

/// <summary>What one provider needs in an authorization request otherwise than RFC 6749 has it, so that its token can be renewed, or used at all.</summary>
/// <remarks>
/// Recognised by the authorization endpoint, which each of these providers has once for all customers. A row adds parameters and says how scopes are
/// separated; it never replaces one of the proxy's parameters.
/// </remarks>
/// <param name="Name">The provider.</param>
/// <param name="Endpoint">The authorization endpoint, as its metadata and its manual have it.</param>
/// <param name="Parameters">What is added.</param>
internal sealed record AuthorizeDialect(string Name, string Endpoint, params (string Name, string Value)[] Parameters)
{
    /// <summary>RFC 6749.</summary>
    private static readonly AuthorizeDialect Plain = new("OAuth", "");

    /// <summary>What stands between two scopes: a blank (RFC 6749 §3.3), unless the provider wants another character.</summary>
    public char ScopeSeparator { get; init; } = ' ';

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

        // Scopes as a comma-delimited string; with blanks the request is refused: https://developers.strava.com/docs/authentication/
        new("Strava", "https://www.strava.com/oauth/authorize") { ScopeSeparator = ',' },

        // A comma-separated list of scopes: https://developers.linear.app/docs/oauth/authentication
        new("Linear", "https://linear.app/oauth/authorize") { ScopeSeparator = ',' },
    ];

    /// <returns>The dialect spoken there.</returns>
    public static AuthorizeDialect At(string? authorizationEndpoint) => All.FirstOrDefault(dialect => dialect.Endpoint == authorizationEndpoint) ?? Plain;
}
