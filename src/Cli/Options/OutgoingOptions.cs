using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>How the proxy signs in at the target: shared by every verb that connects to one.</summary>
internal abstract class OutgoingOptions : StoreOptions
{
    [Option("ca-file", MetaValue = "FILE", HelpText = "PEM file of trust anchors beside the system's, for the target and for identity providers.")]
    public string? CaFile { get; set; }

    [Option("remote-auth", HelpText = "Sign in at the target with OAuth; alone, everything is discovered from the target.")]
    public bool RemoteAuth { get; set; }

    [Option("remote-auth-issuer", MetaValue = "URL", HelpText = "Issuer of the authorization server, if it is not to be discovered.")]
    public string? RemoteAuthIssuer { get; set; }

    [Option("remote-auth-authorize-url", MetaValue = "URL", HelpText = "Authorization endpoint; needs --remote-auth-token-url too.")]
    public string? RemoteAuthAuthorizeUrl { get; set; }

    [Option("remote-auth-token-url", MetaValue = "URL", HelpText = "Token endpoint; needs --remote-auth-authorize-url too.")]
    public string? RemoteAuthTokenUrl { get; set; }

    [Option("remote-auth-client-id", MetaValue = "ID", HelpText = "Client registered beforehand; alone it turns detection on.")]
    public string? RemoteAuthClientId { get; set; }

    [Option("remote-auth-client-secret", MetaValue = "SECRET",
        HelpText = "Its secret. Better in the environment or a file: arguments are visible to other users.")]
    public string? RemoteAuthClientSecret { get; set; }

    [Option("remote-auth-client-secret-file", MetaValue = "FILE", HelpText = "File with the client's secret; white space around it is dropped.")]
    public string? RemoteAuthClientSecretFile { get; set; }

    [Option("remote-auth-client-auth", MetaValue = "METHOD", Default = "auto",
        HelpText = "How the client secret is sent: auto (as the server's metadata says), basic, post (in the form) or none.")]
    public string RemoteAuthClientAuth { get; set; } = "";

    [Option("remote-auth-scopes", MetaValue = "SCOPES", Separator = ',', HelpText = "Scopes to ask for, instead of those that the target names.")]
    public IEnumerable<string> RemoteAuthScopes { get; set; } = [];

    [Option("remote-auth-scope-param-name", MetaValue = "NAME", Default = "scope",
        HelpText = "Query parameter of the authorization request that carries them, such as user_scope.")]
    public string RemoteAuthScopeParamName { get; set; } = "";

    [Option("remote-auth-resource", MetaValue = "URI",
        HelpText = "Resource indicator (RFC 8707), instead of the one that the target publishes; none sends none, as Microsoft Entra wants it beside scopes.")]
    public string? RemoteAuthResource { get; set; }

    [Option("remote-auth-callback-port", MetaValue = "PORT", Default = 8666,
        HelpText = "Port on loopback to which the browser comes back; 0 for any that is free.")]
    public int RemoteAuthCallbackPort { get; set; }

    [Option("remote-auth-skip-browser", HelpText = "Print the address to open instead of opening the browser.")]
    public bool RemoteAuthSkipBrowser { get; set; }

    [Option("remote-auth-timeout", MetaValue = "DURATION", HelpText = "Time for one sign-in: default 30s if no person acts, 5m if one must.")]
    public string? RemoteAuthTimeout { get; set; }

    [Option("remote-auth-bearer-token", MetaValue = "SECRET",
        HelpText = "The token itself. Better in the environment or a file: arguments are visible to other users.")]
    public string? RemoteAuthBearerToken { get; set; }

    [Option("remote-auth-bearer-token-file", MetaValue = "FILE", HelpText = "File with a token that is sent as it is; read again when it changes.")]
    public string? RemoteAuthBearerTokenFile { get; set; }

    [Option("remote-forward-headers", MetaValue = "NAME=VALUE",
        HelpText = "Field set on every request to the target, in place of the client's own; for what is not a secret.")]
    public IEnumerable<string> RemoteForwardHeaders { get; set; } = [];

    [Option("remote-forward-headers-secret", MetaValue = "NAME=REF",
        HelpText = "The same with its value from env:NAME, file:PATH (read again when it changes), or a secret of that name (mcpproxyfast secret).")]
    public IEnumerable<string> RemoteForwardHeadersSecret { get; set; } = [];

    [Option("remote-auth-grant", MetaValue = "GRANT", Default = "authorization_code",
        HelpText = "authorization_code, device_code, client_credentials, jwt-bearer or id-jag.")]
    public string RemoteAuthGrant { get; set; } = "";

    [Option("remote-auth-client-key-file", MetaValue = "FILE", HelpText = "PEM private key for private_key_jwt.")]
    public string? RemoteAuthClientKeyFile { get; set; }

    [Option("remote-auth-client-metadata-url", MetaValue = "URL", HelpText = "Client-id metadata document (https), used if the server supports it.")]
    public string? RemoteAuthClientMetadataUrl { get; set; }

    [Option("remote-auth-assertion-file", MetaValue = "FILE", HelpText = "The assertion of the jwt-bearer grant; read at each use.")]
    public string? RemoteAuthAssertionFile { get; set; }

    [Option("remote-auth-idp-token-url", MetaValue = "URL", HelpText = "Token endpoint of the identity provider, for id-jag.")]
    public string? RemoteAuthIdpTokenUrl { get; set; }

    [Option("remote-auth-idp-client-id", MetaValue = "ID", HelpText = "Client at the identity provider, for id-jag.")]
    public string? RemoteAuthIdpClientId { get; set; }

    [Option("remote-auth-id-token-file", MetaValue = "FILE", HelpText = "The ID token, for id-jag; read at each use.")]
    public string? RemoteAuthIdTokenFile { get; set; }

    [Option("remote-auth-dpop", HelpText = "Bind tokens to a key that is kept with them, and prove it with each request (RFC 9449).")]
    public bool RemoteAuthDpop { get; set; }
}
