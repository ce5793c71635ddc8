using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags that say how tokens are exchanged: of the verbs that have callers.</summary>
internal abstract class ExchangeOptions : TargetOptions
{
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
        HelpText = "Whose token is exchanged: caller or outgoing; auto: that of the outgoing sign-in if there is one, else the caller's.")]
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
