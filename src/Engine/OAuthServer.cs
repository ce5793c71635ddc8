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

    /// <summary>The authorization server that the target names in its metadata (RFC 9728).</summary>
    public static OAuthServer Discovered { get; } = new(issuer: null, tokenUrl: null, authorizeUrl: null);

    /// <summary>The issuer; null unless the server is given by its issuer.</summary>
    public string? Issuer { get; }

    /// <summary>The token endpoint; null unless the server is given by its endpoints.</summary>
    public Uri? TokenUrl { get; }

    /// <summary>The authorization endpoint; null unless the server is given by its endpoints.</summary>
    public Uri? AuthorizeUrl { get; }

    /// <summary>Whether the operator has given the server. Then it is not discovered from the target.</summary>
    internal bool IsGiven => Issuer is not null || TokenUrl is not null;

    /// <summary>A server that publishes metadata (RFC 8414). It is found by its issuer.</summary>
    /// <param name="issuer">The issuer, exactly as in the server's metadata (RFC 8414 §3.3).</param>
    /// <returns>The server.</returns>
    /// <exception cref="ArgumentException">The issuer is neither an https URL nor http on loopback.</exception>
    public static OAuthServer FromIssuer(string issuer)
    {
        PolicyValue.Require(UrlRule.IsSecure(UrlRule.Parse(issuer)), nameof(issuer), "The issuer must be an https URL (http only on loopback).");
        return new OAuthServer(issuer, tokenUrl: null, authorizeUrl: null);
    }

    /// <summary>A server whose endpoints are given, so its metadata is not read. The proxy needs a client that was registered beforehand.</summary>
    /// <param name="tokenUrl">The token endpoint.</param>
    /// <param name="authorizeUrl">The authorization endpoint. It must be given for <see cref="OAuthGrant.AuthorizationCode"/>.</param>
    /// <returns>The server.</returns>
    /// <exception cref="ArgumentException">An endpoint is neither https nor http on loopback.</exception>
    public static OAuthServer FromEndpoints(Uri tokenUrl, Uri? authorizeUrl = null) => new(
        issuer: null,
        PolicyValue.SecureUrl(tokenUrl, nameof(tokenUrl), "token URL"),
        PolicyValue.SecureUrl(authorizeUrl, nameof(authorizeUrl), "authorize URL"));
}
