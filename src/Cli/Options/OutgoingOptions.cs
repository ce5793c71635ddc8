using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>How the proxy signs in at the target: shared by every verb that connects to one.</summary>
internal abstract class OutgoingOptions : StoreOptions
{
    [Option("ca-file", MetaValue = "FILE", HelpText = "PEM file of trust anchors beside the system's, for the target and for identity providers.")]
    public string? CaFile { get; set; }

    [Option("remote-auth", HelpText = "Sign in at the target with OAuth; alone, everything is discovered from the target.")]
    public bool RemoteAuth { get; set; }

    [Option("remote-auth-issuer", MetaValue = "URL", HelpText = "Issuer of the authorization server, where it is not to be discovered.")]
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

    [Option("remote-auth-timeout", MetaValue = "DURATION", HelpText = "Time for one sign-in: 30s where no person acts, 5m where one must, unless given.")]
    public string? RemoteAuthTimeout { get; set; }

    [Option("remote-auth-bearer-token", MetaValue = "SECRET",
        HelpText = "The token itself. Better in the environment or a file: arguments are visible to other users.")]
    public string? RemoteAuthBearerToken { get; set; }

    [Option("remote-auth-bearer-token-file", MetaValue = "FILE", HelpText = "File with a token that is sent as it is; read again when it changes.")]
    public string? RemoteAuthBearerTokenFile { get; set; }

    [Option("remote-forward-headers", MetaValue = "NAME=VALUE",
        HelpText = "Field set on every request to the target, in place of the client's own; for what is no secret.")]
    public IEnumerable<string> RemoteForwardHeaders { get; set; } = [];

    [Option("remote-forward-headers-secret", MetaValue = "NAME=REF",
        HelpText = "The same with its value from env:NAME, file:PATH (read again when it changes), or a secret of that name (mcpproxyfast secret).")]
    public IEnumerable<string> RemoteForwardHeadersSecret { get; set; } = [];

    [Option("remote-auth-grant", MetaValue = "GRANT", Default = "authorization_code",
        HelpText = "authorization_code, device_code, client_credentials, jwt-bearer or id-jag.")]
    public string RemoteAuthGrant { get; set; } = "";

    [Option("remote-auth-client-key-file", MetaValue = "FILE", HelpText = "PEM private key for private_key_jwt.")]
    public string? RemoteAuthClientKeyFile { get; set; }

    [Option("remote-auth-client-metadata-url", MetaValue = "URL", HelpText = "Client-id metadata document (https), used where the server supports it.")]
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

    [Option("token-exchange-url", MetaValue = "URL",
        HelpText = "Token endpoint at which the caller's token, or that of the outgoing sign-in, is exchanged for the one that is sent (RFC 8693).")]
    public string? TokenExchangeUrl { get; set; }

    [Option("token-exchange-client-id", MetaValue = "ID", HelpText = "Client of the exchange.")]
    public string? TokenExchangeClientId { get; set; }

    [Option("token-exchange-client-secret", MetaValue = "SECRET", HelpText = "Its secret. Better in the environment or a file.")]
    public string? TokenExchangeClientSecret { get; set; }

    [Option("token-exchange-client-secret-file", MetaValue = "FILE", HelpText = "File with its secret; white space around it is dropped.")]
    public string? TokenExchangeClientSecretFile { get; set; }

    [Option("token-exchange-audience", MetaValue = "AUDIENCE", HelpText = "Audience of the token asked for; several are sent in this order.")]
    public IEnumerable<string> TokenExchangeAudience { get; set; } = [];

    [Option("token-exchange-scopes", MetaValue = "SCOPES", Separator = ',', HelpText = "Scopes of the token asked for.")]
    public IEnumerable<string> TokenExchangeScopes { get; set; } = [];

    [Option("token-exchange-subject-token-type", MetaValue = "TYPE", Default = "access_token", HelpText = "access_token, id_token, jwt, or a URN.")]
    public string TokenExchangeSubjectTokenType { get; set; } = "";

    [Option("token-exchange-header-name", MetaValue = "NAME", HelpText = "Field that carries the new token, instead of Authorization.")]
    public string? TokenExchangeHeaderName { get; set; }

    [Option("token-exchange-variant", MetaValue = "VARIANT", Default = "rfc8693",
        HelpText = "rfc8693; entra-obo (Microsoft Entra's on-behalf-of); jwt-bearer (RFC 7523, the token as assertion).")]
    public string TokenExchangeVariant { get; set; } = "";

    [Option("token-exchange-resource", MetaValue = "URI", HelpText = "Where the token asked for is used (RFC 8707); several are sent in this order.")]
    public IEnumerable<string> TokenExchangeResource { get; set; } = [];

    [Option("token-exchange-requested-token-type", MetaValue = "TYPE", HelpText = "access_token, id_token, jwt, or a URN. Unless given, none is asked for.")]
    public string? TokenExchangeRequestedTokenType { get; set; }

    [Option("token-exchange-subject", MetaValue = "WHOSE", Default = "auto",
        HelpText = "Whose token is exchanged: caller or outgoing; auto: that of the outgoing sign-in where there is one, else the caller's.")]
    public string TokenExchangeSubject { get; set; } = "";

    [Option("token-exchange-actor", MetaValue = "WHOSE", Default = "none",
        HelpText = "none, or outgoing: the token of the outgoing sign-in travels as actor_token beside the caller's.")]
    public string TokenExchangeActor { get; set; } = "";

    [Option("token-exchange-actor-token-file", MetaValue = "FILE", HelpText = "File with the proxy's own token as actor_token; read again when it changes.")]
    public string? TokenExchangeActorTokenFile { get; set; }

    [Option("token-exchange-actor-token-type", MetaValue = "TYPE", Default = "access_token", HelpText = "access_token, id_token, jwt, or a URN.")]
    public string TokenExchangeActorTokenType { get; set; } = "";

    [Option("token-exchange-grant-type", MetaValue = "URN", HelpText = "Grant type, for servers with one of their own.")]
    public string? TokenExchangeGrantType { get; set; }

    [Option("token-exchange-param", MetaValue = "NAME=VALUE", HelpText = "Further parameter of the request, such as Google's options.")]
    public IEnumerable<string> TokenExchangeParam { get; set; } = [];

    [Option("token-exchange-client-auth", MetaValue = "METHOD", Default = "auto",
        HelpText = "none, basic, post or private_key_jwt; auto: as the secret, the key, or neither asks for.")]
    public string TokenExchangeClientAuth { get; set; } = "";

    [Option("token-exchange-client-key-file", MetaValue = "FILE", HelpText = "PEM private key for private_key_jwt.")]
    public string? TokenExchangeClientKeyFile { get; set; }
}
