using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say how to sign in at the target to the engine's outgoing policy.</summary>
internal static class OutgoingFlags
{
    /// <summary>The store's key: a secret for the machine rather than for one call, so there is no flag for it.</summary>
    private const string KeyVariable = "MCPPROXYFAST_STORE_KEY";

    private const string NoStore = "none";

    /// <returns>Null where none of the flags that turn signing in on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or a file cannot be read.</exception>
    public static OutgoingPolicy? ToPolicy(OutgoingOptions options)
    {
        if (!IsOn(options))
        {
            return null;
        }

        if ((options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null)
        {
            return Checked(OAuth(options));
        }

        OutgoingPolicy bearer = Checked(
            new OutgoingPolicy { BearerToken = options.RemoteAuthBearerToken, BearerTokenFile = options.RemoteAuthBearerTokenFile });
        FlagValue.SecretFile("remote-auth-bearer-token-file", bearer.BearerTokenFile);
        return bearer;
    }

    /// <summary>The policy of a sign-in that is asked for by its verb and whose result is kept.</summary>
    /// <exception cref="UsageException">There would be nothing to obtain or nowhere to keep it, or as with <see cref="ToPolicy"/>.</exception>
    public static OutgoingPolicy ToSignIn(OutgoingOptions options)
    {
        RefuseNoStore(options);
        return (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null
            ? Checked(OAuth(options))
            : throw new UsageException("--remote-auth-bearer-token and its file are sent as they are; there is nothing to sign in for");
    }

    /// <summary>The policy that says no more than where credentials are kept.</summary>
    /// <exception cref="UsageException">They are kept nowhere, or their key is none.</exception>
    public static OutgoingPolicy ToStore(StoreOptions options)
    {
        RefuseNoStore(options);
        return Checked(Store(options));
    }

    private static bool IsOn(OutgoingOptions options)
    {
        string?[] switches =
        [
            options.RemoteAuthIssuer, options.RemoteAuthAuthorizeUrl, options.RemoteAuthTokenUrl, options.RemoteAuthClientId,
            options.RemoteAuthClientMetadataUrl, options.RemoteAuthBearerToken, options.RemoteAuthBearerTokenFile,
            options.RemoteAuthAssertionFile, options.RemoteAuthIdTokenFile,
        ];
        return options.RemoteAuth || switches.Any(given => given is not null);
    }

    private static void RefuseNoStore(StoreOptions options)
    {
        if (options.RemoteAuthStore == NoStore)
        {
            throw new UsageException("--remote-auth-store none keeps nothing; name a file, or leave it out for the user's data folder");
        }
    }

    private static OutgoingPolicy Store(StoreOptions options) => new()
    {
        StorePath = options.RemoteAuthStore switch
        {
            null => OutgoingPolicy.DefaultStorePath,
            NoStore => null,
            var path => Directory.Exists(path) ? Path.Combine(path, "credentials") : path,
        },
        // Given and empty is not "not given": the engine refuses it.
        StoreKey = Environment.GetEnvironmentVariable(KeyVariable),
    };

    private static OutgoingPolicy OAuth(OutgoingOptions options) => Store(options) with
    {
        Grant = Grant(options.RemoteAuthGrant),
        Issuer = options.RemoteAuthIssuer,
        AuthorizeUrl = FlagValue.Url("remote-auth-authorize-url", options.RemoteAuthAuthorizeUrl),
        TokenUrl = FlagValue.Url("remote-auth-token-url", options.RemoteAuthTokenUrl),
        ClientId = options.RemoteAuthClientId,
        ClientSecret = FlagValue.Secret(options.RemoteAuthClientSecret, "remote-auth-client-secret-file", options.RemoteAuthClientSecretFile),
        ClientKeyFile = FlagValue.SecretFile("remote-auth-client-key-file", options.RemoteAuthClientKeyFile),
        ClientMetadataUrl = options.RemoteAuthClientMetadataUrl,
        Scopes = [.. options.RemoteAuthScopes],
        ScopeParameter = options.RemoteAuthScopeParamName,
        Resource = options.RemoteAuthResource,
        CallbackPort = options.RemoteAuthCallbackPort,
        SkipBrowser = options.RemoteAuthSkipBrowser,
        SignInTimeout = options.RemoteAuthTimeout is { } timeout ? FlagValue.Wait("remote-auth-timeout", timeout) : null,
        AssertionFile = FlagValue.SecretFile("remote-auth-assertion-file", options.RemoteAuthAssertionFile),
        IdpTokenUrl = FlagValue.Url("remote-auth-idp-token-url", options.RemoteAuthIdpTokenUrl),
        IdpClientId = options.RemoteAuthIdpClientId,
        IdTokenFile = FlagValue.SecretFile("remote-auth-id-token-file", options.RemoteAuthIdTokenFile),
        DPoP = options.RemoteAuthDpop,
    };

    private static OutgoingPolicy Checked(OutgoingPolicy policy) => FlagValue.Accepted(FlagOf, () =>
    {
        policy.Validate();
        return policy;
    });

    private static string FlagOf(string? property) => property switch
    {
        nameof(OutgoingPolicy.BearerToken) => "--remote-auth-bearer-token",
        nameof(OutgoingPolicy.BearerTokenFile) => "--remote-auth-bearer-token-file",
        nameof(OutgoingPolicy.Grant) => "--remote-auth-grant",
        nameof(OutgoingPolicy.Issuer) => "--remote-auth-issuer",
        nameof(OutgoingPolicy.AuthorizeUrl) => "--remote-auth-authorize-url",
        nameof(OutgoingPolicy.TokenUrl) => "--remote-auth-token-url",
        nameof(OutgoingPolicy.ClientId) => "--remote-auth-client-id",
        nameof(OutgoingPolicy.ClientKeyFile) => "--remote-auth-client-key-file",
        nameof(OutgoingPolicy.ClientMetadataUrl) => "--remote-auth-client-metadata-url",
        nameof(OutgoingPolicy.Scopes) => "--remote-auth-scopes",
        nameof(OutgoingPolicy.ScopeParameter) => "--remote-auth-scope-param-name",
        nameof(OutgoingPolicy.Resource) => "--remote-auth-resource",
        nameof(OutgoingPolicy.CallbackPort) => "--remote-auth-callback-port",
        nameof(OutgoingPolicy.SignInTimeout) => "--remote-auth-timeout",
        nameof(OutgoingPolicy.AssertionFile) => "--remote-auth-assertion-file",
        nameof(OutgoingPolicy.IdTokenFile) => "--remote-auth-id-token-file",
        nameof(OutgoingPolicy.IdpTokenUrl) => "--remote-auth-idp-token-url",
        nameof(OutgoingPolicy.StoreKey) => KeyVariable,
        _ => "the --remote-auth flags",
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
