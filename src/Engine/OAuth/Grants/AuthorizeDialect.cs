namespace McpProxyFast.OAuth.Grants;

/// <summary>How one provider's authorization request must differ from RFC 6749. Otherwise its token could not be renewed, or not be used at all.</summary>
/// <remarks>
/// The provider is recognized by its authorization endpoint, which is the same for all of its customers. A dialect adds parameters and says how scopes are
/// separated. It never replaces a parameter that the proxy sends anyway.
/// </remarks>
/// <param name="Name">The provider's name.</param>
/// <param name="Endpoint">The authorization endpoint, exactly as the provider's metadata and documentation write it.</param>
/// <param name="Parameters">The parameters that are added.</param>
internal sealed record AuthorizeDialect(string Name, string Endpoint, params (string Name, string Value)[] Parameters)
{
    /// <summary>The dialect of all other providers: they follow RFC 6749.</summary>
    private static readonly AuthorizeDialect Plain = new("OAuth", "");

    /// <summary>The character between two scopes: a space (RFC 6749 §3.3), unless the provider requires another one.</summary>
    public char ScopeSeparator { get; init; } = ' ';

    /// <summary>The dialects of all known providers. Each has a link to the page of the provider's documentation that it is based on.</summary>
    public static IReadOnlyList<AuthorizeDialect> All { get; } =
    [
        // Google issues a refresh token only for access_type=offline, and after the first time only if the person is asked for consent again:
        // https://developers.google.com/identity/protocols/oauth2/web-server#offline
        new("Google", "https://accounts.google.com/o/oauth2/v2/auth", ("access_type", "offline"), ("prompt", "consent")),

        // Atlassian issues tokens for an audience, not for a resource. prompt=consent shows the page on which the person grants access:
        // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
        new("Atlassian", "https://auth.atlassian.com/authorize", ("audience", "api.atlassian.com"), ("prompt", "consent")),

        // Without this parameter Dropbox issues a token for four hours and no refresh token: https://developers.dropbox.com/oauth-guide
        new("Dropbox", "https://www.dropbox.com/oauth2/authorize", ("token_access_type", "offline")),

        // Strava separates scopes by commas, and refuses a request with spaces between them: https://developers.strava.com/docs/authentication/
        new("Strava", "https://www.strava.com/oauth/authorize") { ScopeSeparator = ',' },

        // Linear separates scopes by commas: https://developers.linear.app/docs/oauth/authentication
        new("Linear", "https://linear.app/oauth/authorize") { ScopeSeparator = ',' },
    ];

    /// <returns>The dialect of the provider with this endpoint.</returns>
    public static AuthorizeDialect At(string? authorizationEndpoint) => All.FirstOrDefault(dialect => dialect.Endpoint == authorizationEndpoint) ?? Plain;
}
