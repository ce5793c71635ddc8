namespace McpProxyFast;

/// <summary>A policy for signed access tokens (RFC 9068), which are checked with the keys of their issuer.</summary>
public sealed record JwtPolicy : ClaimsPolicy
{
    /// <summary>Accepts tokens of one issuer, whose keys are found by discovery (OpenID Connect Discovery, then RFC 8414).</summary>
    /// <param name="issuer">The issuer, see <see cref="Issuer"/>.</param>
    /// <exception cref="ArgumentException">The issuer is not valid, see <see cref="Issuer"/>.</exception>
    public JwtPolicy(string issuer) => Issuer = issuer;

    /// <summary>Accepts tokens signed with the keys at a URL. Their <c>iss</c> is checked only if <see cref="Issuer"/> is set too.</summary>
    /// <param name="jwksUri">The URL of the keys, see <see cref="JwksUri"/>.</param>
    /// <exception cref="ArgumentException">The URL is neither https nor http on loopback.</exception>
    public JwtPolicy(Uri jwksUri) => JwksUri = jwksUri;

    /// <summary>The authorization server's issuer name, exactly as in the <c>iss</c> of the tokens.</summary>
    /// <value>Null: <c>iss</c> is not checked.</value>
    /// <exception cref="ArgumentException">
    /// The value is not an https URL (http is allowed on loopback), has a query, or has a placeholder such as <c>common</c> in place of a tenant.
    /// </exception>
    public string? Issuer
    {
        get;
        init => field = value is null ? null : CheckedIssuer(value);
    }

    /// <summary>The URL of the signing keys, a JWK set (RFC 7517 §5). If it is set, there is no discovery of the keys.</summary>
    /// <value>Null: the URL comes from the issuer's metadata.</value>
    /// <exception cref="ArgumentException">The URL is neither https nor http on loopback.</exception>
    public Uri? JwksUri
    {
        get;
        init => field = PolicyValue.Checked(
            value, value is null || UrlRule.IsSecure(value), nameof(JwksUri), "the URL of the key set must be an https URL (http only on loopback).");
    }

    /// <summary>The endpoint of the authorization server at which tokens that are not JWTs are checked.</summary>
    /// <value>Null (the default): such tokens are refused.</value>
    public TokenIntrospection? OpaqueTokens { get; init; }

    /// <summary>The policy for tokens that are not JWTs; null if they are refused.</summary>
    internal IntrospectionPolicy? ForOpaqueTokens => OpaqueTokens is null
        ? null
        : new IntrospectionPolicy(OpaqueTokens)
        {
            Issuer = Issuer,
            Audiences = Audiences,
            AllowedClients = AllowedClients,
            ClockSkew = ClockSkew,
            RequiredScopes = RequiredScopes,
        };

    /// <inheritdoc/>
    internal override string Description =>
        $"JWT, Issuer = {Issuer}, JwksUri = {JwksUri}, {Recipients}, OpaqueTokens = {OpaqueTokens}";

    /// <inheritdoc/>
    public override void Validate()
    {
        PolicyValue.Require(Issuer is not null || JwksUri is not null, nameof(Issuer), "an issuer or the URL of a key set must be given.");
        ForOpaqueTokens?.Validate();
    }

    private static string CheckedIssuer(string issuer)
    {
        PolicyValue.Require(
            !ManyTenants.Has(issuer),
            nameof(Issuer),
            "the issuer must be that of one tenant, as in the iss claim of its tokens: put the tenant's id in place of the placeholder, "
                + "or of common, organizations or consumers.");
        return PolicyValue.Checked(
            issuer,
            UrlRule.Parse(issuer) is { Query.Length: 0 } url && UrlRule.IsSecure(url),
            nameof(Issuer),
            "the issuer must be an https URL without a query (http only on loopback).");
    }
}
