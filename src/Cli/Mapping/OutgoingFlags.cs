using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say how to sign in at the target to the engine's outgoing policy.</summary>
internal static class OutgoingFlags
{
    /// <returns>Null where none of the flags that turn signing in on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or a file cannot be read.</exception>
    public static OutgoingPolicy? ToPolicy(OutgoingOptions options)
    {
        if (!IsOn(options))
        {
            return null;
        }

        OutgoingPolicy policy = (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null
            ? OAuth(options)
            : new OutgoingPolicy { BearerToken = options.RemoteAuthBearerToken, BearerTokenFile = options.RemoteAuthBearerTokenFile };
        return FlagValue.Accepted(_ => "the --remote-auth flags", () =>
        {
            policy.Validate();
            return policy;
        });
    }

    private static bool IsOn(OutgoingOptions options)
    {
        string?[] switches =
        [
            options.RemoteAuthIssuer, options.RemoteAuthAuthorizeUrl, options.RemoteAuthTokenUrl, options.RemoteAuthClientId, options.RemoteAuthClientMetadataUrl,
            options.RemoteAuthBearerToken, options.RemoteAuthBearerTokenFile, options.RemoteAuthAssertionFile, options.RemoteAuthIdTokenFile,
        ];
        return options.RemoteAuth || switches.Any(given => given is not null);
    }

    private static OutgoingPolicy OAuth(OutgoingOptions options) => new()
    {
        Grant = Grant(options.RemoteAuthGrant),
        Issuer = options.RemoteAuthIssuer,
        AuthorizeUrl = FlagValue.Url("remote-auth-authorize-url", options.RemoteAuthAuthorizeUrl),
        TokenUrl = FlagValue.Url("remote-auth-token-url", options.RemoteAuthTokenUrl),
        ClientId = options.RemoteAuthClientId,
        ClientSecret = FlagValue.Secret(options.RemoteAuthClientSecret, "remote-auth-client-secret-file", options.RemoteAuthClientSecretFile),
        ClientKeyFile = options.RemoteAuthClientKeyFile,
        ClientMetadataUrl = options.RemoteAuthClientMetadataUrl,
        Scopes = [.. options.RemoteAuthScopes],
        ScopeParameter = options.RemoteAuthScopeParamName,
        Resource = options.RemoteAuthResource,
        CallbackPort = options.RemoteAuthCallbackPort,
        SkipBrowser = options.RemoteAuthSkipBrowser,
        SignInTimeout = options.RemoteAuthTimeout is { } timeout ? FlagValue.Wait("remote-auth-timeout", timeout) : null,
        AssertionFile = options.RemoteAuthAssertionFile,
        IdpTokenUrl = FlagValue.Url("remote-auth-idp-token-url", options.RemoteAuthIdpTokenUrl),
        IdpClientId = options.RemoteAuthIdpClientId,
        IdTokenFile = options.RemoteAuthIdTokenFile,
        DPoP = options.RemoteAuthDpop,
        StorePath = options.RemoteAuthStore switch { null => OutgoingPolicy.DefaultStorePath, "none" => null, var path => path },
    };

    private static OutgoingGrant Grant(string name) => name switch
    {
        "authorization_code" => OutgoingGrant.AuthorizationCode,
        "device_code" => OutgoingGrant.DeviceCode,
        "client_credentials" => OutgoingGrant.ClientCredentials,
        "jwt-bearer" => OutgoingGrant.JwtBearer,
        "id-jag" => OutgoingGrant.IdentityAssertion,
        _ => throw new UsageException($"--remote-auth-grant must be authorization_code, device_code, client_credentials, jwt-bearer or id-jag, not '{name}'"),
    };
}
