using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags for the target and its timeouts, shared by the verbs that send requests to a target.</summary>
internal abstract class TargetOptions : OutgoingOptions
{
    [Option("target-uri", MetaValue = "URL", Required = true, HelpText = "URL of the MCP server, http or https, with its path and query if it has them.")]
    public virtual string TargetUri { get; set; } = "";

    [Option("connect-timeout", MetaValue = "DURATION", Default = "10s",
        HelpText = "Time to connect to the target, 10ms to 1h; after it the request fails with 504.")]
    public string ConnectTimeout { get; set; } = "";

    [Option("upstream-idle-timeout", MetaValue = "DURATION", Default = "60s",
        HelpText = "Time an idle connection to the target is kept, 10ms to 1h; less if the target says Keep-Alive: timeout=N.")]
    public string UpstreamIdleTimeout { get; set; } = "";

    [Option("upstream-post-idle-timeout", MetaValue = "DURATION", Default = "4s",
        HelpText = "Longest time that a connection to the target may have been idle and is still used for a POST, 10ms to 1h. "
            + "If the target says Keep-Alive: timeout=N, that counts instead.")]
    public string UpstreamPostIdleTimeout { get; set; } = "";

    [Option("response-timeout", MetaValue = "DURATION", Default = "off",
        HelpText = "Time until the target's answer begins, 10ms to 24h, or off; after it the request fails with 504. The answer itself has no limit.")]
    public string ResponseTimeout { get; set; } = "";

    /// <summary>The value of <c>--drain-timeout</c>. Each derived class declares the flag itself, since the help texts differ.</summary>
    public abstract string DrainTimeout { get; set; }
}
