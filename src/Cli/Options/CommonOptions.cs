using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of every verb.</summary>
internal abstract class CommonOptions
{
    [Option("config", MetaValue = "FILE", HelpText = "JSON file whose keys are flag names. Flags and environment variables override it.")]
    public string? Config { get; set; }

    [Option("check", HelpText = "Validate everything, print the effective configuration as JSON without its secrets, and exit.")]
    public bool Check { get; set; }

    [Option("debug", HelpText = "Log more, such as a line for each exchange; never a token, code, secret or cookie value.")]
    public bool Debug { get; set; }
}
