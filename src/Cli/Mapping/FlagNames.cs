namespace McpProxyFast.Cli.Mapping;

/// <summary>For each property or parameter that the engine may refuse, the flag that sets it.</summary>
internal static class FlagNames
{
    /// <summary>The environment variable with the store's key. There is no flag for it, since all commands that use the store need the same key.</summary>
    public const string StoreKeyVariable = "MCPPROXYFAST_STORE_KEY";

    /// <summary>The flags for the properties of <see cref="McpProxyOptions"/>.</summary>
    public static IReadOnlyDictionary<string, string> Proxy { get; } = Table(
        (nameof(McpProxyOptions.AddedFields), "--remote-forward-headers"),
        ("path", "--remote-forward-headers-secret"),
        (nameof(McpProxyOptions.AllowedOrigins), "--allowed-origins"),
        (nameof(McpProxyOptions.AllowedHosts), "--allowed-hosts"),
        (nameof(McpProxyOptions.CorsOrigins), "--cors-origins"),
        (nameof(McpProxyOptions.Target), "--target-uri"));

    /// <summary>The flags for the properties of each kind of <see cref="TokenPolicy"/>.</summary>
    public static IReadOnlyDictionary<string, string> Incoming { get; } = Table(
        (nameof(JwtPolicy.Issuer), "--oidc-issuer"),
        (nameof(JwtPolicy.JwksUri), "--oidc-jwks-url"),
        (nameof(ClaimsPolicy.Audiences), "--oidc-audience"),
        (nameof(ClaimsPolicy.AllowedClients), "--oidc-allowed-clients"),
        (nameof(ClaimsPolicy.ClockSkew), "--oidc-clock-skew"),
        (nameof(TokenIntrospection.Endpoint), "--oidc-introspection-url"),
        ("clientId", "--oidc-client-id"),
        ("clientSecret", "--oidc-client-secret"),
        (nameof(TokenPolicy.AdvertisedScopes), "--oidc-scopes"),
        (nameof(TokenPolicy.RequiredScopes), "--oidc-required-scopes"),
        (nameof(TokenPolicy.ResourceUrl), "--resource-url"));

    /// <summary>The flags for the properties of each kind of <see cref="OutgoingPolicy"/>, and of the objects in them.</summary>
    public static IReadOnlyDictionary<string, string> Outgoing { get; } = Table(
        ("token", "--remote-auth-bearer-token"),
        (nameof(OAuthServer.Issuer), "--remote-auth-issuer"),
        (nameof(OAuthServer.TokenUrl), "--remote-auth-token-url"),
        (nameof(OAuthServer.AuthorizeUrl), "--remote-auth-authorize-url"),
        (nameof(OAuthPolicy.Server), "--remote-auth-token-url"),
        (nameof(OAuthPolicy.Scopes), "--remote-auth-scopes"),
        (nameof(OAuthPolicy.Resource), "--remote-auth-resource"),
        (nameof(OAuthPolicy.TokenEndpointAuthMethod), "--remote-auth-client-auth"),
        (nameof(OAuthPolicy.SignInTimeout), "--remote-auth-timeout"),
        (nameof(OAuthGrant.AuthorizationCode.Client), "--remote-auth-client-id"),
        (nameof(OAuthGrant.AuthorizationCode.CallbackPort), "--remote-auth-callback-port"),
        (nameof(OAuthGrant.AuthorizationCode.ScopeParameter), "--remote-auth-scope-param-name"),
        (nameof(OAuthGrant.IdentityAssertion.IdpTokenUrl), "--remote-auth-idp-token-url"),
        ("metadataUrl", "--remote-auth-client-metadata-url"),
        (nameof(KnownClient.Id), "--remote-auth-client-id"),
        (nameof(OAuthGrant.ClientCredentials.ClientId), "--remote-auth-client-id"),
        (nameof(ClientAuthentication.Secret), "--remote-auth-client-secret"),
        (nameof(OAuthGrant.JwtBearer.AssertionFile), "--remote-auth-assertion-file"),
        (nameof(OAuthGrant.IdentityAssertion.IdpClientId), "--remote-auth-idp-client-id"),
        (nameof(OAuthGrant.IdentityAssertion.IdTokenFile), "--remote-auth-id-token-file"),
        (nameof(CredentialStoreFile.Path), "--remote-auth-store"),
        (nameof(CredentialStoreFile.Key), StoreKeyVariable));

    /// <summary>The flags for the properties of <see cref="TokenExchangePolicy"/>, and of the objects in it.</summary>
    public static IReadOnlyDictionary<string, string> Exchange { get; } = Table(
        (nameof(TokenExchangePolicy.TokenUrl), "--token-exchange-url"),
        (nameof(TokenExchangePolicy.FieldName), "--token-exchange-header-name"),
        (nameof(TokenExchangePolicy.Parameters), "--token-exchange-param"),
        (nameof(TokenExchangePolicy.Subject), "--token-exchange-subject"),
        (nameof(OAuthPolicy.DPoP), "--remote-auth-dpop"),
        (nameof(TokenExchangeVariant.Scopes), "--token-exchange-scopes"),
        (nameof(TokenExchangeVariant.Rfc8693.Audiences), "--token-exchange-audience"),
        (nameof(TokenExchangeVariant.Rfc8693.Resources), "--token-exchange-resource"),
        (nameof(TokenExchangeVariant.Rfc8693.GrantType), "--token-exchange-grant-type"),
        (nameof(TokenExchangeVariant.Rfc8693.Actor), "--token-exchange-actor"));

    // Case is ignored: the engine's messages name properties with a capital letter and parameters with a small one.
    private static Dictionary<string, string> Table(params (string Property, string Flag)[] rows) =>
        rows.ToDictionary(row => row.Property, row => row.Flag, StringComparer.OrdinalIgnoreCase);
}
