using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say who may come in to the engine's token policy.</summary>
internal static class IncomingFlags
{
    /// <returns>Null where none of the flags that turn protection on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or protect nothing.</exception>
    public static TokenPolicy? ToPolicy(IncomingOptions options)
    {
        if ((options.OidcIssuer ?? options.OidcJwksUrl ?? options.OidcIntrospectionUrl) is null)
        {
            RefuseIdle(options);
            return null;
        }

        var policy = new TokenPolicy
        {
            Issuer = options.OidcIssuer,
            Audiences = [.. options.OidcAudience],
            JwksUri = FlagValue.Url("oidc-jwks-url", options.OidcJwksUrl),
            IntrospectionUri = FlagValue.Url("oidc-introspection-url", options.OidcIntrospectionUrl),
            ClientId = options.OidcClientId,
            ClientSecret = options.OidcClientSecret,
            AdvertisedScopes = [.. options.OidcScopes],
            RequiredScopes = [.. options.OidcRequiredScopes],
            ClockSkew = FlagValue.Wait("oidc-clock-skew", options.OidcClockSkew),
            ResourceUrl = options.ResourceUrl,
            PassAuthorization = options.PassAuthorization,
        };
        return FlagValue.Accepted(FlagOf, () =>
        {
            policy.Validate();
            return policy;
        });
    }

    /// <summary>A rule that nothing enforces would only look like protection.</summary>
    private static void RefuseIdle(IncomingOptions options)
    {
        string? idle = options.OidcAudience.Any() ? "oidc-audience"
            : options.OidcRequiredScopes.Any() ? "oidc-required-scopes"
            : options.OidcClientId is not null ? "oidc-client-id"
            : null;
        if (idle is not null)
        {
            throw new UsageException($"--{idle} protects nothing without --oidc-issuer, --oidc-jwks-url or --oidc-introspection-url");
        }
    }

    private static string FlagOf(string? property) => property switch
    {
        nameof(TokenPolicy.Issuer) => "--oidc-issuer",
        nameof(TokenPolicy.Audiences) => "--oidc-audience",
        nameof(TokenPolicy.JwksUri) => "--oidc-jwks-url",
        nameof(TokenPolicy.IntrospectionUri) => "--oidc-introspection-url",
        nameof(TokenPolicy.ClientId) => "--oidc-client-id",
        nameof(TokenPolicy.ClientSecret) => "--oidc-client-secret",
        nameof(TokenPolicy.AdvertisedScopes) => "--oidc-scopes",
        nameof(TokenPolicy.RequiredScopes) => "--oidc-required-scopes",
        nameof(TokenPolicy.ClockSkew) => "--oidc-clock-skew",
        nameof(TokenPolicy.ResourceUrl) => "--resource-url",
        _ => "the --oidc flags",
    };
}
