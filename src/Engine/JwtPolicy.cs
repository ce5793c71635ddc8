namespace McpProxyFast;

/// <summary>Signed access tokens (RFC 9068), checked by their issuer's keys.</summary>
public sealed record JwtPolicy : ClaimsPolicy
{
    /// <summary>Tokens of one issuer, whose keys are found by discovery (OpenID Connect Discovery, then RFC 8414).</summary>
    /// <param name="issuer">As <see cref="Issuer"/>.</param>
    /// <exception cref="ArgumentException">It is not an https URL.</exception>
    public JwtPolicy(string issuer) => Issuer = issuer;

    /// <summary>Tokens signed with the keys at a URL; their <c>iss</c> is checked only if <see cref="Issuer"/> is set too.</summary>
    /// <param name="jwksUri">As <see cref="JwksUri"/>.</param>
    /// <exception cref="ArgumentException">It is neither https nor http on loopback.</exception>
    public JwtPolicy(Uri jwksUri) => JwksUri = jwksUri;

    /// <summary>The authorization server, character for character as in the tokens' <c>iss</c>.</summary>
    /// <value>Null: not checked.</value>
    /// <exception cref="ArgumentException">It is not an https URL (http on loopback only), has a query, or stands for many tenants.</exception>
    public string? Issuer
    {
        get;
        init => field = value is null ? null : CheckedIssuer(value);
    }

    /// <summary>Where the signing keys are, in place of discovery.</summary>
    /// <value>Null: the issuer's metadata says it.</value>
    /// <exception cref="ArgumentException">It is neither https nor http on loopback.</exception>
    public Uri? JwksUri
    {
        get;
        init => field = PolicyValue.Checked(
            value, value is null || UrlRule.IsSecure(value), nameof(JwksUri), "a key set is fetched over https (http on loopback only).");
    }

    /// <summary>Who is asked about tokens that are not JWTs.</summary>
    /// <value>Null (the default): they are refused.</value>
    public TokenIntrospection? OpaqueTokens { get; init; }

    /// <summary>The policy for those tokens; null if they are refused.</summary>
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
        PolicyValue.Require(Issuer is not null || JwksUri is not null, nameof(Issuer), "an issuer or a key set is needed.");
        ForOpaqueTokens?.Validate();
    }

    private static string CheckedIssuer(string issuer)
    {
        PolicyValue.Require(
            !ManyTenants.Has(issuer),
            nameof(Issuer),
            "an issuer is that of one tenant, as in its tokens' iss: put the tenant's id in place of the placeholder or of common, organizations, consumers.");
        return PolicyValue.Checked(
            issuer,
            UrlRule.Parse(issuer) is { Query.Length: 0 } url && UrlRule.IsSecure(url),
            nameof(Issuer),
            "an issuer is an https URL without query (http on loopback only).");
    }
}
