using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>Who may come in: shared by the verbs that listen.</summary>
internal abstract class IncomingOptions : ExchangeOptions
{
    [Option("oidc-issuer", MetaValue = "URL", HelpText = "Accept only tokens of this issuer; its keys are discovered.")]
    public string? OidcIssuer { get; set; }

    [Option("oidc-audience", MetaValue = "AUDIENCE", HelpText = "Accept only tokens for this audience; with several, any of them.")]
    public IEnumerable<string> OidcAudience { get; set; } = [];

    [Option("oidc-allowed-clients", MetaValue = "ID",
        HelpText = "Accept only tokens of these clients (client_id or azp). With it, a token without an audience passes, as Cognito's are.")]
    public IEnumerable<string> OidcAllowedClients { get; set; } = [];

    [Option("oidc-jwks-url", MetaValue = "URL", HelpText = "Signing keys, instead of those that the issuer's metadata names.")]
    public string? OidcJwksUrl { get; set; }

    [Option("oidc-introspection-url", MetaValue = "URL", HelpText = "Introspection endpoint (RFC 7662) for tokens that are not JWTs; alone, for all.")]
    public string? OidcIntrospectionUrl { get; set; }

    [Option("oidc-client-id", MetaValue = "ID", HelpText = "Client at the introspection endpoint.")]
    public string? OidcClientId { get; set; }

    [Option("oidc-client-secret", MetaValue = "SECRET", HelpText = "Its secret. Better in the environment: arguments are visible to other users.")]
    public string? OidcClientSecret { get; set; }

    [Option("oidc-scopes", MetaValue = "SCOPES", Separator = ',', Default = new[] { "openid" },
        HelpText = "scopes_supported of the protected resource's metadata (RFC 9728).")]
    public IEnumerable<string> OidcScopes { get; set; } = [];

    [Option("oidc-required-scopes", MetaValue = "SCOPES", Separator = ',', HelpText = "A token without all of these gets 403 insufficient_scope.")]
    public IEnumerable<string> OidcRequiredScopes { get; set; } = [];

    [Option("oidc-clock-skew", MetaValue = "DURATION", Default = "60s", HelpText = "How far the clocks of issuer and proxy may differ.")]
    public string OidcClockSkew { get; set; } = "";

    [Option("resource-url", MetaValue = "URL",
        HelpText = "The address by which clients know this proxy, in metadata and challenges. Unless given: from the request's own host.")]
    public string? ResourceUrl { get; set; }

    [Option("pass-authorization", HelpText = "Send the client's own token on to the target although it was meant for this proxy. Unsafe.")]
    public bool PassAuthorization { get; set; }
}
