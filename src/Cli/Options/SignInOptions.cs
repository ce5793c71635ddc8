using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags that say which stored credential is meant, shared by the verbs that obtain or delete one.</summary>
internal abstract class SignInOptions : OutgoingOptions
{
    [Option("target-uri", MetaValue = "URL", Required = true, HelpText = "URL of the MCP server, written as for the proxy: credentials are kept by target.")]
    public string TargetUri { get; set; } = "";
}
