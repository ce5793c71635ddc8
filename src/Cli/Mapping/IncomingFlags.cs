using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say who may come in to the engine's token policy.</summary>
internal static class IncomingFlags
{
    /// <returns>Null where none of the flags that turn protection on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or protect nothing.</exception>
    public static TokenPolicy? ToPolicy(IncomingOptions options, Settings settings)
    {
        if ((options.OidcIssuer ?? options.OidcJwksUrl ?? options.OidcIntrospectionUrl) is null)
        {
            RefuseIdle(settings);
            return null;
        }

        var policy = new TokenPolicy
        {
            Issuer = options.OidcIssuer,
            Audiences = [.. options.OidcAudience],
            AllowedClients = [.. options.OidcAllowedClients],
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
    private static void RefuseIdle(Settings settings)
    {
        if (settings.Table.All.FirstOrDefault(flag => IsOfPolicy(flag.Name) && settings.Changes(flag)) is { } idle)
        {
            throw new UsageException(
                $"{settings.Given[idle.Name].Origin} protects nothing without --oidc-issuer, --oidc-jwks-url or --oidc-introspection-url");
        }
    }

    private static bool IsOfPolicy(string flag) => flag.StartsWith("oidc-", StringComparison.Ordinal) || flag is "resource-url" or "pass-authorization";

    private static string FlagOf(string? property) => property switch
    {
        nameof(TokenPolicy.Issuer) => "--oidc-issuer",
        nameof(TokenPolicy.Audiences) => "--oidc-audience",
        nameof(TokenPolicy.AllowedClients) => "--oidc-allowed-clients",
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
