using System.Reflection;
using System.Text;

namespace McpProxyFast.Cli.Flags;

/// <summary>What <c>--help</c> and <c>--version</c> print, generated from the options.</summary>
internal static class HelpPage
{
    /// <summary>The version, as the build set it.</summary>
    public static string Version { get; } =
        "mcpproxyfast " + typeof(HelpPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];

    /// <summary>The page of the command itself: its verbs.</summary>
    public static string OfCommand(IEnumerable<(string Name, string Help)> verbs)
    {
        StringBuilder page = new StringBuilder()
            .AppendLine($"{Version}: one fast, safe HTTP hop in front of an MCP server.")
            .AppendLine()
            .AppendLine("Usage: mcpproxyfast VERB [flags]")
            .AppendLine();
        foreach ((string name, string help) in verbs)
        {
            page.AppendLine($"  {name,-8} {help}");
        }

        return page.AppendLine().Append("mcpproxyfast VERB --help lists the flags of a verb.").ToString();
    }

    /// <summary>The page of one verb: every flag with its unit, default and environment name.</summary>
    public static string OfVerb(string name, string help, string positionals, FlagTable table)
    {
        StringBuilder page = new StringBuilder()
            .AppendLine($"Usage: mcpproxyfast {name} [flags]{positionals}")
            .AppendLine()
            .AppendLine(help)
            .AppendLine("A flag not given is read from its environment variable, then from the file that --config names.")
            .AppendLine();
        foreach (Flag flag in table.All)
        {
            page.AppendLine($"  {Usage(flag)}").AppendLine($"      {flag.Help}").AppendLine($"      {Details(flag)}");
        }

        return page.Append("  --help, --version").ToString();
    }

    private static string Usage(Flag flag) => flag.Kind == FlagKind.Bool ? $"--{flag.Name}" : $"--{flag.Name} {flag.Unit}";

    private static string Details(Flag flag)
    {
        string repeats = flag.Kind switch
        {
            FlagKind.List => "repeatable, comma-separated; ",
            FlagKind.Array => "repeatable; ",
            _ => "",
        };
        string fallback = flag.Required ? "required" : "default: " + DefaultOf(flag);
        return $"[{repeats}{fallback}; {flag.EnvironmentName}]";
    }

    private static string DefaultOf(Flag flag) => flag.Kind == FlagKind.Bool ? "false" : flag.Default ?? "none";
}
