namespace McpProxyFast;

/// <summary>The authorization server: discovered from the target, or given by its issuer or by its endpoints.</summary>
public sealed record OAuthServer
{
    private OAuthServer(string? issuer, Uri? tokenUrl, Uri? authorizeUrl)
    {
        Issuer = issuer;
        TokenUrl = tokenUrl;
        AuthorizeUrl = authorizeUrl;
    }

    /// <summary>The server that the target names in its metadata (RFC 9728).</summary>
    public static OAuthServer Discovered { get; } = new(issuer: null, tokenUrl: null, authorizeUrl: null);

    /// <summary>The issuer; null unless the server is given by its issuer.</summary>
    public string? Issuer { get; }

    /// <summary>The token endpoint; null unless the server is given by its endpoints.</summary>
    public Uri? TokenUrl { get; }

    /// <summary>The authorization endpoint; null unless the server is given by its endpoints.</summary>
    public Uri? AuthorizeUrl { get; }

    /// <summary>Whether the operator has given the server, so that it is not discovered.</summary>
    internal bool IsGiven => Issuer is not null || TokenUrl is not null;

    /// <summary>A server with metadata (RFC 8414), named by its issuer.</summary>
    /// <param name="issuer">The issuer, exactly as in the server's metadata (RFC 8414 §3.3).</param>
    /// <returns>The server.</returns>
    /// <exception cref="ArgumentException">The issuer is neither an https URL nor http on loopback.</exception>
    public static OAuthServer FromIssuer(string issuer)
    {
        PolicyValue.Require(UrlRule.IsSecure(UrlRule.Parse(issuer)), nameof(issuer), "The issuer must be an https URL (http only on loopback).");
        return new OAuthServer(issuer, tokenUrl: null, authorizeUrl: null);
    }

    /// <summary>A server without metadata. It needs a client that was registered beforehand.</summary>
    /// <param name="tokenUrl">The token endpoint.</param>
    /// <param name="authorizeUrl">The authorization endpoint, which <see cref="OAuthGrant.AuthorizationCode"/> needs.</param>
    /// <returns>The server.</returns>
    /// <exception cref="ArgumentException">An endpoint is neither https nor http on loopback.</exception>
    public static OAuthServer FromEndpoints(Uri tokenUrl, Uri? authorizeUrl = null) => new(
        issuer: null,
        PolicyValue.SecureUrl(tokenUrl, nameof(tokenUrl), "token URL"),
        PolicyValue.SecureUrl(authorizeUrl, nameof(authorizeUrl), "authorize URL"));
}
