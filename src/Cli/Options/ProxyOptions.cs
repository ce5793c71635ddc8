using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>proxy</c>.</summary>
[Verb("proxy", HelpText = "Puts the proxy in front of an MCP server.")]
internal class ProxyOptions : IncomingOptions
{
    [Value(0, MetaName = "SERVER_NAME", Required = true, HelpText = "Name of the MCP server, for the start line.")]
    public virtual string ServerName { get; set; } = "";

    [Option("host", MetaValue = "ADDRESS", Default = "127.0.0.1",
        HelpText = "Address to listen on, or a name; localhost: on both loopbacks.")]
    public string Host { get; set; } = "";

    [Option("port", MetaValue = "PORT", Default = 0, HelpText = "Port to listen on, 0 to 65535; 0: a free one chosen by the system.")]
    public int Port { get; set; }

    [Option("allowed-origins", MetaValue = "ORIGIN",
        HelpText = "Origin of web pages that may call. Unless given: on loopback the proxy's own origin, elsewhere any.")]
    public IEnumerable<string> AllowedOrigins { get; set; } = [];

    [Option("allowed-hosts", MetaValue = "HOST",
        HelpText = "Host that requests may name: name (any port) or name:port; *: any. On loopback the proxy's own are allowed too. "
            + "Elsewhere, unless given: any.")]
    public IEnumerable<string> AllowedHosts { get; set; } = [];

    [Option("allow-unprotected", HelpText = "Start even if anybody who can reach --host could use the credential that the proxy sends to the target.")]
    public virtual bool AllowUnprotected { get; set; }

    [Option("cors-origins", MetaValue = "ORIGIN",
        HelpText = "Origin of web pages whose scripts may read answers: preflights are answered and CORS fields added.")]
    public IEnumerable<string> CorsOrigins { get; set; } = [];

    [Option("x-forwarded", MetaValue = "MODE",
        HelpText = "X-Forwarded fields for the target: set (instead of the client's own), append (to them) or off. "
            + "Unless given: set for http targets, off for https.")]
    public string? XForwarded { get; set; }

    [Option("max-body-size", MetaValue = "SIZE", Default = "8MiB", HelpText = "Largest request body (8MiB, 512KiB, or bytes); 413 above it.")]
    public string MaxBodySize { get; set; } = "";

    [Option("max-connections", MetaValue = "COUNT", Default = "10000", HelpText = "Most client connections at once, 1 to 1000000; further ones wait.")]
    public string MaxConnections { get; set; } = "";

    [Option("header-timeout", MetaValue = "DURATION", Default = "10s", HelpText = "Time for a request head to arrive, 10ms to 1h.")]
    public string HeaderTimeout { get; set; } = "";

    [Option("idle-timeout", MetaValue = "DURATION", Default = "120s",
        HelpText = "Longest time a client connection is kept without a request, 10ms to 24h.")]
    public string IdleTimeout { get; set; } = "";

    [Option("drain-timeout", MetaValue = "DURATION", Default = "5s", HelpText = "Time that running exchanges get when the proxy is told to stop, 0s to 1h.")]
    public override string DrainTimeout { get; set; } = "";

    [Option("tls-cert", MetaValue = "FILE", HelpText = "PEM certificate chain: the listener speaks TLS.")]
    public string? TlsCert { get; set; }

    [Option("tls-key", MetaValue = "FILE", HelpText = "PEM private key of that certificate.")]
    public string? TlsKey { get; set; }

    [Option("admin-port", MetaValue = "PORT", HelpText = "Port on loopback for /metrics, /health and /ready.")]
    public int? AdminPort { get; set; }

    [Option("access-log", MetaValue = "FORMAT", Default = "off", HelpText = "One line per exchange on stderr, redacted: off, text or json.")]
    public string AccessLog { get; set; } = "";
}
