using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags for a sign-in at the target to the engine's policy.</summary>
internal static class OAuthFlags
{
    private const string AuthorizationCode = "authorization_code";
    private const string DeviceCode = "device_code";
    private const string ClientCredentials = "client_credentials";
    private const string JwtBearer = "jwt-bearer";
    private const string IdJag = "id-jag";

    /// <exception cref="UsageException">The flags contradict each other, or a file cannot be read.</exception>
    public static OAuthPolicy ToPolicy(OutgoingOptions options, CredentialStoreFile? store)
    {
        Values values = Read(options);
        Refuse(options, values);
        return FlagValue.Accepted(FlagNames.Outgoing, () =>
        {
            var policy = new OAuthPolicy
            {
                Server = Server(options, values),
                Grant = Grant(options, values),
                Scopes = [.. options.RemoteAuthScopes],
                Resource = options.RemoteAuthResource,
                TokenEndpointAuthMethod = AuthMethod(options, values),
                DPoP = options.RemoteAuthDpop,
                Store = store,
                SignInTimeout = values.Timeout,
            };
            policy.Validate();
            return policy;
        });
    }

    private static Values Read(OutgoingOptions options)
    {
        string[] grants = [AuthorizationCode, DeviceCode, ClientCredentials, JwtBearer, IdJag];
        string grant = options.RemoteAuthGrant;
        if (!grants.Contains(grant))
        {
            throw new UsageException($"--remote-auth-grant must be {string.Join(", ", grants[..^1])} or {grants[^1]}, not '{grant}'");
        }

        return new Values(
            FlagValue.Url("remote-auth-authorize-url", options.RemoteAuthAuthorizeUrl),
            FlagValue.Url("remote-auth-token-url", options.RemoteAuthTokenUrl),
            FlagValue.Secret(options.RemoteAuthClientSecret, "remote-auth-client-secret-file", options.RemoteAuthClientSecretFile),
            FlagValue.KeyFile("remote-auth-client-key-file", options.RemoteAuthClientKeyFile),
            options.RemoteAuthTimeout is { } timeout ? FlagValue.Wait("remote-auth-timeout", timeout) : null,
            FlagValue.SecretFile("remote-auth-assertion-file", options.RemoteAuthAssertionFile),
            FlagValue.Url("remote-auth-idp-token-url", options.RemoteAuthIdpTokenUrl),
            FlagValue.SecretFile("remote-auth-id-token-file", options.RemoteAuthIdTokenFile));
    }

    /// <summary>
    /// Refuses combinations that can be written with flags but not with the engine's types. <see cref="Settings"/> has already refused flags that exclude each
    /// other.
    /// </summary>
    private static void Refuse(OutgoingOptions options, Values values)
    {
        string grant = options.RemoteAuthGrant;
        bool hasClient = options.RemoteAuthClientId is not null;
        bool isComplete = hasClient && values.IdpTokenUrl is not null && options.RemoteAuthIdpClientId is not null && values.IdTokenFile is not null;
        FlagValue.Refuse(
            (values.AuthorizeUrl is not null && values.TokenUrl is null, "remote-auth-token-url",
                "it must be given, since --remote-auth-authorize-url is given"),
            (!hasClient && values.Secret is not null, "remote-auth-client-id", "it must be given, since a client secret is given"),
            (!hasClient && values.KeyFile is not null, "remote-auth-client-id", "it must be given, since a client key is given"),
            (values.Secret is not null && values.KeyFile is not null, "remote-auth-client-key-file",
                "a client secret is given too; give only one of the two"),
            (values.AssertionFile is not null && grant != JwtBearer, "remote-auth-assertion-file", "it works only with --remote-auth-grant jwt-bearer"),
            (values.IdTokenFile is not null && grant != IdJag, "remote-auth-id-token-file", "it works only with --remote-auth-grant id-jag"),
            (values.IdpTokenUrl is not null && grant != IdJag, "remote-auth-idp-token-url",
                "it works only with --remote-auth-grant id-jag"),
            (grant == ClientCredentials && (values.Secret ?? values.KeyFile) is null, "remote-auth-grant",
                "the grant client_credentials needs a client id and a client secret or key"),
            (grant == JwtBearer && values.AssertionFile is null, "remote-auth-assertion-file", "the grant jwt-bearer needs an assertion file"),
            (grant == IdJag && !isComplete, "remote-auth-grant",
                "the grant id-jag needs a client id and the identity provider's token URL, client id and ID token file"));
    }

    /// <summary>
    /// Reads how a client secret is sent. The engine refuses a method that sends a secret if the client has none. A client that registers itself may get one.
    /// </summary>
    private static TokenEndpointAuthMethod AuthMethod(OutgoingOptions options, Values values)
    {
        TokenEndpointAuthMethod method = options.RemoteAuthClientAuth switch
        {
            "auto" => TokenEndpointAuthMethod.Automatic,
            "basic" => TokenEndpointAuthMethod.Basic,
            "post" => TokenEndpointAuthMethod.Post,
            "none" => TokenEndpointAuthMethod.None,
            var other => throw new UsageException($"--remote-auth-client-auth must be auto, basic, post or none, not '{other}'"),
        };
        FlagValue.Refuse((method is not TokenEndpointAuthMethod.Automatic && values.KeyFile is not null, "remote-auth-client-auth",
            "it says how a client secret is sent, but a client key is given, which always signs an assertion (private_key_jwt); leave it out"));
        return method;
    }

    private static OAuthServer Server(OutgoingOptions options, Values values) =>
        options.RemoteAuthIssuer is { } issuer ? OAuthServer.FromIssuer(issuer)
        : values.TokenUrl is not null ? OAuthServer.FromEndpoints(values.TokenUrl, values.AuthorizeUrl)
        : OAuthServer.Discovered;

    private static OAuthGrant Grant(OutgoingOptions options, Values values)
    {
        ClientAuthentication? authentication = values.Secret is not null ? ClientAuthentication.Secret(values.Secret)
            : values.KeyFile is not null ? ClientAuthentication.KeyFile(values.KeyFile)
            : null;
        KnownClient? known = options.RemoteAuthClientId is { } id ? new KnownClient(id, authentication) : null;
        OAuthClient own = options.RemoteAuthClientMetadataUrl is { } document ? OAuthClient.Described(document) : OAuthClient.Registered;

        // Made even if another grant is used, so that a wrong callback port is always refused.
        var withBrowser = new OAuthGrant.AuthorizationCode
        {
            Client = known ?? own,
            CallbackPort = options.RemoteAuthCallbackPort,
            SkipBrowser = options.RemoteAuthSkipBrowser,
            ScopeParameter = options.RemoteAuthScopeParamName,
        };
        return options.RemoteAuthGrant switch
        {
            DeviceCode => new OAuthGrant.DeviceCode { Client = known ?? own },
            ClientCredentials => new OAuthGrant.ClientCredentials(known!.Id, authentication!),
            JwtBearer => new OAuthGrant.JwtBearer(values.AssertionFile!) { Client = known },
            IdJag => new OAuthGrant.IdentityAssertion
            {
                Client = known!,
                IdpTokenUrl = values.IdpTokenUrl!,
                IdpClientId = options.RemoteAuthIdpClientId!,
                IdTokenFile = values.IdTokenFile!,
            },
            _ => withBrowser,
        };
    }

    /// <summary>The parsed values of the flags that are needed to check the flags against each other.</summary>
    private sealed record Values(
        Uri? AuthorizeUrl, Uri? TokenUrl, string? Secret, string? KeyFile, TimeSpan? Timeout, string? AssertionFile, Uri? IdpTokenUrl, string? IdTokenFile);
}
