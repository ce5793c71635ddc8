using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>demo</c>.</summary>
[Verb("demo", HelpText = "Starts a small MCP server of its own with the proxy in front, to try it out.")]
internal sealed class DemoOptions : CommonOptions
{
    [Option("port", MetaValue = "PORT", Default = 0, HelpText = "Port to listen on, 0 to 65535; 0: a free one chosen by the system.")]
    public int Port { get; set; }
}
