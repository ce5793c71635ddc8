using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags for the sign-in at the target, shared by all verbs that connect to a target.</summary>
internal abstract class OutgoingOptions : StoreOptions
{
    [Option("ca-file", MetaValue = "FILE",
        HelpText = "PEM file with certificate authorities to trust beside the system's.")]
    public string? CaFile { get; set; }

    [Option("remote-auth", HelpText = "Sign in at the target with OAuth. Most servers need nothing more: the rest is discovered.")]
    public bool RemoteAuth { get; set; }

    [Option("remote-auth-issuer", MetaValue = "URL",
        HelpText = "Issuer of the authorization server, whose metadata gives its endpoints. Needed only if the target does not name its server, "
            + "or if the metadata does not list PKCE.")]
    public string? RemoteAuthIssuer { get; set; }

    [Option("remote-auth-authorize-url", MetaValue = "URL",
        HelpText = "Authorization endpoint, where a person signs in. Needed only if the server publishes no metadata, and then with "
            + "--remote-auth-token-url and --remote-auth-client-id; else it is discovered.")]
    public string? RemoteAuthAuthorizeUrl { get; set; }

    [Option("remote-auth-token-url", MetaValue = "URL",
        HelpText = "Token endpoint, which issues and renews tokens. Needed only if the server publishes no metadata, and then with "
            + "--remote-auth-client-id and, if a person signs in, --remote-auth-authorize-url; else it is discovered.")]
    public string? RemoteAuthTokenUrl { get; set; }

    [Option("remote-auth-client-id", MetaValue = "ID",
        HelpText = "Id of a client that is registered already. Needed if clients cannot register themselves. Turns the sign-in on.")]
    public string? RemoteAuthClientId { get; set; }

    [Option("remote-auth-client-secret", MetaValue = "SECRET",
        HelpText = "Secret of the client of --remote-auth-client-id. Better in the environment or a file: other users of the machine can see arguments.")]
    public string? RemoteAuthClientSecret { get; set; }

    [Option("remote-auth-client-secret-file", MetaValue = "FILE", HelpText = "File with the client's secret; white space around it is dropped.")]
    public string? RemoteAuthClientSecretFile { get; set; }

    [Option("remote-auth-client-auth", MetaValue = "METHOD", Default = "auto",
        HelpText = "How the client secret is sent: auto, as the server's metadata says; basic, in Authorization; post, in the form; or none.")]
    public string RemoteAuthClientAuth { get; set; } = "";

    [Option("remote-auth-scopes", MetaValue = "SCOPES", Separator = ',', HelpText = "Scopes to ask for, instead of those that the target names.")]
    public IEnumerable<string> RemoteAuthScopes { get; set; } = [];

    [Option("remote-auth-scope-param-name", MetaValue = "NAME", Default = "scope",
        HelpText = "Query parameter that carries the scopes when a person signs in, such as Slack's user_scope.")]
    public string RemoteAuthScopeParamName { get; set; } = "";

    [Option("remote-auth-resource", MetaValue = "URI",
        HelpText = "What the token is for (resource indicator, RFC 8707), instead of what the target publishes; "
            + "none: send none, as Microsoft Entra wants it beside scopes.")]
    public string? RemoteAuthResource { get; set; }

    [Option("remote-auth-callback-port", MetaValue = "PORT", Default = 8666,
        HelpText = "Port on loopback to which the browser comes back; 0: any that is free. If the port is in use, a free one is used instead, "
            + "except with --remote-auth-client-id.")]
    public int RemoteAuthCallbackPort { get; set; }

    [Option("remote-auth-skip-browser", HelpText = "Print the URL to open instead of opening the browser.")]
    public bool RemoteAuthSkipBrowser { get; set; }

    [Option("remote-auth-timeout", MetaValue = "DURATION", HelpText = "Time for one sign-in, 1s to 1h. Unless given: 5m if a person has to act, else 30s.")]
    public string? RemoteAuthTimeout { get; set; }

    [Option("remote-auth-bearer-token", MetaValue = "SECRET",
        HelpText = "Token to send as it is, instead of signing in. Better in the environment or a file: other users of the machine can see arguments.")]
    public string? RemoteAuthBearerToken { get; set; }

    [Option("remote-auth-bearer-token-file", MetaValue = "FILE",
        HelpText = "File with a token to send as it is, instead of signing in; read again when it changes.")]
    public string? RemoteAuthBearerTokenFile { get; set; }

    [Option("remote-forward-headers", MetaValue = "NAME=VALUE",
        HelpText = "Header field for every request to the target, in place of the client's own of that name. Not for secrets.")]
    public IEnumerable<string> RemoteForwardHeaders { get; set; } = [];

    [Option("remote-forward-headers-secret", MetaValue = "NAME=REF",
        HelpText = "Header field whose value is a secret. REF is env:NAME, file:PATH (read again when it changes), "
            + "or the name of a secret stored with mcpproxyfast secret set.")]
    public IEnumerable<string> RemoteForwardHeadersSecret { get; set; } = [];

    [Option("remote-auth-grant", MetaValue = "GRANT", Default = "authorization_code",
        HelpText = "How to get tokens: authorization_code (a person, in the browser), device_code (a person, elsewhere), "
            + "client_credentials, jwt-bearer or id-jag (nobody acts).")]
    public string RemoteAuthGrant { get; set; } = "";

    [Option("remote-auth-client-key-file", MetaValue = "FILE",
        HelpText = "PEM file with the client's private key, instead of a secret (private_key_jwt).")]
    public string? RemoteAuthClientKeyFile { get; set; }

    [Option("remote-auth-client-metadata-url", MetaValue = "URL",
        HelpText = "URL (https) of a client ID metadata document, used as the client id if the server supports that.")]
    public string? RemoteAuthClientMetadataUrl { get; set; }

    [Option("remote-auth-assertion-file", MetaValue = "FILE", HelpText = "File with the assertion, for the grant jwt-bearer; read at each use.")]
    public string? RemoteAuthAssertionFile { get; set; }

    [Option("remote-auth-idp-token-url", MetaValue = "URL", HelpText = "Token endpoint of the identity provider, for the grant id-jag.")]
    public string? RemoteAuthIdpTokenUrl { get; set; }

    [Option("remote-auth-idp-client-id", MetaValue = "ID", HelpText = "Client id at the identity provider, for the grant id-jag.")]
    public string? RemoteAuthIdpClientId { get; set; }

    [Option("remote-auth-id-token-file", MetaValue = "FILE", HelpText = "File with the ID token, for the grant id-jag; read at each use.")]
    public string? RemoteAuthIdTokenFile { get; set; }

    [Option("remote-auth-dpop", HelpText = "Bind tokens to a key that is kept with them, and prove possession of it with each request (DPoP, RFC 9449).")]
    public bool RemoteAuthDpop { get; set; }
}
