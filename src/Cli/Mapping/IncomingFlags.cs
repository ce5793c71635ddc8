using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags that say which callers may use the proxy to the engine's token policy.</summary>
internal static class IncomingFlags
{
    /// <returns>The policy; null if none of the flags that turn protection on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or have no effect without a flag that turns protection on.</exception>
    public static TokenPolicy? ToPolicy(IncomingOptions options, Settings settings)
    {
        if ((options.OidcIssuer ?? options.OidcJwksUrl ?? options.OidcIntrospectionUrl) is null)
        {
            RefuseIdle(settings);
            return null;
        }

        Uri? jwks = FlagValue.Url("oidc-jwks-url", options.OidcJwksUrl);
        Uri? introspection = FlagValue.Url("oidc-introspection-url", options.OidcIntrospectionUrl);
        IntrospectionDialect? dialect = introspection is null ? null : IntrospectionDialect.Of(introspection);
        TimeSpan clockSkew = FlagValue.Wait("oidc-clock-skew", options.OidcClockSkew);
        FlagValue.Refuse(
            (options.OidcClientSecret is not null && options.OidcClientId is null, "oidc-client-id", "it must be given, since --oidc-client-secret is given"),
            (dialect?.ClientRule is not null && options.OidcClientSecret is null, "oidc-client-secret", dialect?.ClientRule ?? ""));
        return FlagValue.Accepted(FlagNames.Incoming, () =>
        {
            TokenIntrospection? opaque = introspection is null ? null : dialect!.At(introspection, options);
            ClaimsPolicy kind = options.OidcIssuer is null && jwks is null
                ? new IntrospectionPolicy(opaque!)
                : Jwt(options.OidcIssuer, jwks) with { OpaqueTokens = opaque };
            ClaimsPolicy policy = kind with
            {
                Audiences = [.. options.OidcAudience],
                AllowedClients = [.. options.OidcAllowedClients],
                ClockSkew = clockSkew,
                AdvertisedScopes = [.. options.OidcScopes],
                RequiredScopes = [.. options.OidcRequiredScopes],
                ResourceUrl = options.ResourceUrl,
                PassAuthorization = options.PassAuthorization,
            };
            policy.Validate();
            return policy;
        });
    }

    private static JwtPolicy Jwt(string? issuer, Uri? jwks) => issuer is null ? new JwtPolicy(jwks!) : new JwtPolicy(issuer) { JwksUri = jwks };

    /// <summary>Refuses rules for tokens if no flag turns protection on: they would look like protection but not be enforced.</summary>
    private static void RefuseIdle(Settings settings)
    {
        if (settings.Table.All.FirstOrDefault(flag => IsOfPolicy(flag.Name) && settings.Changes(flag)) is { } idle)
        {
            throw new UsageException(
                $"{settings.Given[idle.Name].Origin} has no effect without --oidc-issuer, --oidc-jwks-url or --oidc-introspection-url: no tokens are checked");
        }
    }

    private static bool IsOfPolicy(string flag) => flag.StartsWith("oidc-", StringComparison.Ordinal) || flag is "resource-url" or "pass-authorization";
}
