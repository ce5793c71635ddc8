using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags for token exchange, shared by the verbs that listen (<c>proxy</c> and <c>tunnel</c>).</summary>
internal abstract class ExchangeOptions : TargetOptions
{
    [Option("token-exchange-url", MetaValue = "URL",
        HelpText = "Token endpoint at which the caller's token, or that of the outgoing sign-in, is exchanged for the one that the target gets (RFC 8693).")]
    public string? TokenExchangeUrl { get; set; }

    [Option("token-exchange-client-id", MetaValue = "ID", HelpText = "Client id of the proxy at that endpoint.")]
    public string? TokenExchangeClientId { get; set; }

    [Option("token-exchange-client-secret", MetaValue = "SECRET", HelpText = "Secret of that client. Better in the environment or a file.")]
    public string? TokenExchangeClientSecret { get; set; }

    [Option("token-exchange-client-secret-file", MetaValue = "FILE", HelpText = "File with the secret of that client; white space around it is dropped.")]
    public string? TokenExchangeClientSecretFile { get; set; }

    [Option("token-exchange-audience", MetaValue = "AUDIENCE", HelpText = "Audience of the new token; several are sent in the order given.")]
    public IEnumerable<string> TokenExchangeAudience { get; set; } = [];

    [Option("token-exchange-scopes", MetaValue = "SCOPES", Separator = ',', HelpText = "Scopes of the new token.")]
    public IEnumerable<string> TokenExchangeScopes { get; set; } = [];

    [Option("token-exchange-subject-token-type", MetaValue = "TYPE", Default = "access_token",
        HelpText = "Type of the token that is exchanged: access_token, id_token, jwt, or a URN.")]
    public string TokenExchangeSubjectTokenType { get; set; } = "";

    [Option("token-exchange-header-name", MetaValue = "NAME", HelpText = "Header field that carries the new token, as Bearer TOKEN, instead of Authorization.")]
    public string? TokenExchangeHeaderName { get; set; }

    [Option("token-exchange-variant", MetaValue = "VARIANT", Default = "rfc8693",
        HelpText = "How the token is asked for: rfc8693; entra-obo (Microsoft Entra's on-behalf-of); jwt-bearer (RFC 7523, the token as assertion).")]
    public string TokenExchangeVariant { get; set; } = "";

    [Option("token-exchange-resource", MetaValue = "URI",
        HelpText = "What the new token is for (resource indicator, RFC 8707); several are sent in the order given.")]
    public IEnumerable<string> TokenExchangeResource { get; set; } = [];

    [Option("token-exchange-requested-token-type", MetaValue = "TYPE",
        HelpText = "Type of the new token: access_token, id_token, jwt, or a URN. Unless given, the server decides.")]
    public string? TokenExchangeRequestedTokenType { get; set; }

    [Option("token-exchange-subject", MetaValue = "WHOSE", Default = "auto",
        HelpText = "Whose token is exchanged: caller or outgoing; auto: that of the outgoing sign-in if there is one, else the caller's.")]
    public string TokenExchangeSubject { get; set; } = "";

    [Option("token-exchange-actor", MetaValue = "WHOSE", Default = "none",
        HelpText = "Who acts for the caller: none, or outgoing: the token of the outgoing sign-in is sent as actor_token beside the caller's.")]
    public string TokenExchangeActor { get; set; } = "";

    [Option("token-exchange-actor-token-file", MetaValue = "FILE",
        HelpText = "File with a token of the proxy's own to send as actor_token; read again when it changes.")]
    public string? TokenExchangeActorTokenFile { get; set; }

    [Option("token-exchange-actor-token-type", MetaValue = "TYPE", Default = "access_token",
        HelpText = "Type of the actor token: access_token, id_token, jwt, or a URN.")]
    public string TokenExchangeActorTokenType { get; set; } = "";

    [Option("token-exchange-grant-type", MetaValue = "URN", HelpText = "Grant type to send to a server that has one of its own.")]
    public string? TokenExchangeGrantType { get; set; }

    [Option("token-exchange-param", MetaValue = "NAME=VALUE", HelpText = "Further parameter of the exchange, such as Google's options.")]
    public IEnumerable<string> TokenExchangeParam { get; set; } = [];

    [Option("token-exchange-client-auth", MetaValue = "METHOD", Default = "auto",
        HelpText = "How the client shows who it is: none, basic, post or private_key_jwt; auto: basic with a secret, private_key_jwt with a key, else none.")]
    public string TokenExchangeClientAuth { get; set; } = "";

    [Option("token-exchange-client-key-file", MetaValue = "FILE",
        HelpText = "PEM file with the client's private key, instead of a secret (private_key_jwt).")]
    public string? TokenExchangeClientKeyFile { get; set; }
}
