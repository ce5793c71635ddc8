using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>tunnel</c>: those of <c>proxy</c> and its own. The target is an argument here, not a flag.</summary>
[Verb("tunnel", HelpText = "Puts the proxy in front of an MCP server and makes it reachable from outside through a tunnel.")]
internal sealed class TunnelOptions : ProxyOptions
{
    [Value(0, MetaName = "TARGET", Required = true, HelpText = "URL of the MCP server, http or https, with its path and query if it has them.")]
    public string Target { get; set; } = "";

    [Value(1, MetaName = "SERVER_NAME", Required = true, HelpText = "Name of the MCP server, for the start line and the tunnel.")]
    public override string ServerName { get; set; } = "";

    [Option("target-uri", MetaValue = "URL", Hidden = true, HelpText = "TARGET says it.")]
    public override string TargetUri { get; set; } = "";

    [Option("tunnel-provider", MetaValue = "PROVIDER", Required = true, HelpText = "Who makes the tunnel: ngrok, cloudflared, ssh or openai.")]
    public string TunnelProvider { get; set; } = "";

    [Option("provider-args", MetaValue = "JSON", Default = "{}",
        HelpText = "What the provider needs, as a JSON object. Better in the environment if a token is in it: "
            + "other users of the machine can see arguments.")]
    public string ProviderArgs { get; set; } = "";

    [Option("allow-unprotected", HelpText = "Start even if anybody who learns the tunnel's address can use the MCP server.")]
    public override bool AllowUnprotected { get; set; }
}
