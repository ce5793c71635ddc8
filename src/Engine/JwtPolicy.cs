namespace McpProxyFast;

/// <summary>Signed access tokens (RFC 9068), checked by their issuer's keys.</summary>
public sealed record JwtPolicy : ClaimsPolicy
{
    /// <summary>Tokens of one issuer, whose keys are found by discovery (OpenID Connect Discovery, then RFC 8414).</summary>
    /// <param name="issuer">As <see cref="Issuer"/>.</param>
    /// <exception cref="ArgumentException">It is no https URL.</exception>
    public JwtPolicy(string issuer) => Issuer = issuer;

    /// <summary>Tokens of whoever holds the keys at a URL; their <c>iss</c> is checked only where <see cref="Issuer"/> is set too.</summary>
    /// <param name="jwksUri">As <see cref="JwksUri"/>.</param>
    /// <exception cref="ArgumentException">It is neither https nor http on loopback.</exception>
    public JwtPolicy(Uri jwksUri) => JwksUri = jwksUri;

    /// <summary>The authorization server, character for character as in the tokens' <c>iss</c>.</summary>
    /// <value>Null: not checked.</value>
    /// <exception cref="ArgumentException">It is no https URL (http on loopback only), or has a query.</exception>
    public string? Issuer
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value is null || (UrlRule.Parse(value) is { Query.Length: 0 } url && UrlRule.IsSecure(url)),
            nameof(Issuer),
            "an issuer is an https URL without query (http on loopback only).");
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

    /// <summary>Who is asked about tokens that are no JWTs.</summary>
    /// <value>Null (the default): they are refused.</value>
    public TokenIntrospection? OpaqueTokens { get; init; }

    /// <summary>The policy for those tokens; null where they are refused.</summary>
    internal IntrospectionPolicy? ForOpaqueTokens => OpaqueTokens is null
        ? null
        : new IntrospectionPolicy(OpaqueTokens) { Issuer = Issuer, Audiences = Audiences, ClockSkew = ClockSkew, RequiredScopes = RequiredScopes };

    /// <inheritdoc/>
    internal override string Description =>
        $"JWT, Issuer = {Issuer}, JwksUri = {JwksUri}, Audiences = [{string.Join(", ", Audiences)}], OpaqueTokens = {OpaqueTokens}";

    /// <inheritdoc/>
    public override void Validate()
    {
        PolicyValue.Require(Issuer is not null || JwksUri is not null, nameof(Issuer), "an issuer or a key set is needed.");
        ForOpaqueTokens?.Validate();
    }
}
