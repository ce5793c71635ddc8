using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The target, and how long things may take there: shared by the verbs that send requests to one.</summary>
internal abstract class TargetOptions : OutgoingOptions
{
    [Option("target-uri", MetaValue = "URL", Required = true, HelpText = "The MCP server: http or https, with its path and query, if any.")]
    public virtual string TargetUri { get; set; } = "";

    [Option("connect-timeout", MetaValue = "DURATION", Default = "10s", HelpText = "Time to connect to the target, 10ms to 1h; then a request fails (504).")]
    public string ConnectTimeout { get; set; } = "";

    [Option("upstream-idle-timeout", MetaValue = "DURATION", Default = "60s",
        HelpText = "Time an idle connection to the target is kept, 10ms to 1h; less if the target says Keep-Alive: timeout=N.")]
    public string UpstreamIdleTimeout { get; set; } = "";

    [Option("upstream-post-idle-timeout", MetaValue = "DURATION", Default = "4s",
        HelpText = "Time after which an idle connection gets no POST, 10ms to 1h, unless the target says how long it keeps it.")]
    public string UpstreamPostIdleTimeout { get; set; } = "";

    [Option("response-timeout", MetaValue = "DURATION", Default = "off",
        HelpText = "Time until the target's response begins, 10ms to 24h, or off; never cuts a stream; then a request fails (504).")]
    public string ResponseTimeout { get; set; } = "";

    [Option("drain-timeout", MetaValue = "DURATION", Default = "5s", HelpText = "Time for what is under way at the end, 0s to 1h.")]
    public virtual string DrainTimeout { get; set; } = "";
}
