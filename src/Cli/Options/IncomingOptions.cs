using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags that say which callers may use the proxy, shared by the verbs that listen (<c>proxy</c> and <c>tunnel</c>).</summary>
internal abstract class IncomingOptions : ExchangeOptions
{
    [Option("oidc-issuer", MetaValue = "URL", HelpText = "Accept only requests with a token of this issuer; its keys are discovered.")]
    public string? OidcIssuer { get; set; }

    [Option("oidc-audience", MetaValue = "AUDIENCE", HelpText = "Accept only tokens for this audience; with several, any of them.")]
    public IEnumerable<string> OidcAudience { get; set; } = [];

    [Option("oidc-allowed-clients", MetaValue = "ID",
        HelpText = "Accept only tokens of these clients (client_id or azp). With it, a token without an audience is accepted, such as those of "
            + "Amazon Cognito.")]
    public IEnumerable<string> OidcAllowedClients { get; set; } = [];

    [Option("oidc-jwks-url", MetaValue = "URL", HelpText = "URL of the signing keys, instead of the one that the issuer's metadata names.")]
    public string? OidcJwksUrl { get; set; }

    [Option("oidc-introspection-url", MetaValue = "URL",
        HelpText = "Introspection endpoint (RFC 7662) for tokens that are not JWTs; for all tokens if --oidc-issuer and --oidc-jwks-url are not given.")]
    public string? OidcIntrospectionUrl { get; set; }

    [Option("oidc-client-id", MetaValue = "ID", HelpText = "Client id of the proxy at the introspection endpoint.")]
    public string? OidcClientId { get; set; }

    [Option("oidc-client-secret", MetaValue = "SECRET",
        HelpText = "Secret of that client. Better in the environment: other users of the machine can see arguments.")]
    public string? OidcClientSecret { get; set; }

    [Option("oidc-scopes", MetaValue = "SCOPES", Separator = ',', Default = new[] { "openid" },
        HelpText = "Scopes that clients are told of: scopes_supported in the proxy's own metadata (RFC 9728).")]
    public IEnumerable<string> OidcScopes { get; set; } = [];

    [Option("oidc-required-scopes", MetaValue = "SCOPES", Separator = ',',
        HelpText = "Scopes that a token must have, all of them; else the request gets 403 insufficient_scope.")]
    public IEnumerable<string> OidcRequiredScopes { get; set; } = [];

    [Option("oidc-clock-skew", MetaValue = "DURATION", Default = "60s", HelpText = "How far the clocks of issuer and proxy may differ.")]
    public string OidcClockSkew { get; set; } = "";

    [Option("resource-url", MetaValue = "URL",
        HelpText = "URL by which clients know this proxy, for metadata and challenges. Unless given: made from the host that a request names.")]
    public string? ResourceUrl { get; set; }

    [Option("pass-authorization", HelpText = "Send the client's own token on to the target although it was meant for this proxy. Unsafe.")]
    public bool PassAuthorization { get; set; }
}
