using System.Text;

namespace McpProxyFast.Cli.Flags;

/// <summary>Builds the output of <c>--help</c> from the options classes.</summary>
/// <param name="width">The maximum length of a line in characters.</param>
internal sealed class HelpPage(int width)
{
    /// <summary>The column in which the text beside the flags begins, in the short help.</summary>
    private const int TextColumn = 30;

    private const string ExampleHead = "  Example: ";

    private const string TunnelExample = "mcpproxyfast tunnel http://localhost:8080/mcp notes --tunnel-provider cloudflared";

    /// <summary>A space at which a line is not broken.</summary>
    private const char Joined = '\u00a0';

    private readonly StringBuilder _page = new();

    /// <summary>Builds the page of the command itself, which lists its verbs.</summary>
    public string OfCommand(IEnumerable<(string Name, string Help)> verbs)
    {
        Add(0, $"{ProgramVersion.Line}: one fast, safe HTTP hop in front of an MCP server.");
        _page.AppendLine();
        Add(0, "Usage: mcpproxyfast VERB [flags]");
        _page.AppendLine();
        foreach ((string name, string help) in verbs)
        {
            Beside(11, name, help);
        }

        _page.AppendLine();
        Add(0, "To try it: mcpproxyfast demo");
        Add(0, "mcpproxyfast VERB --help explains the flags that most people need; --help all explains every one.");
        return _page.ToString().TrimEnd();
    }

    /// <summary>Builds the page of one verb: its flags in groups, with an example for each group.</summary>
    /// <param name="name">The name of the verb.</param>
    /// <param name="help">The text that says what the verb does.</param>
    /// <param name="positionals">The verb's arguments that belong to no flag, as they are shown in the usage line.</param>
    /// <param name="table">The verb's flags.</param>
    /// <param name="all">Whether all flags are shown, with their environment variables, or only those that most people need.</param>
    public string OfVerb(string name, string help, string positionals, FlagTable table, bool all)
    {
        Add(0, $"Usage: mcpproxyfast {name} [flags]{positionals}");
        _page.AppendLine();
        Add(0, help);
        Add(0, all
            ? "A flag not given is read from its environment variable, then from the file that --config names."
            : "A flag not given is read from the environment (--debug as MCPPROXYFAST_DEBUG), then from the file that --config names.");
        foreach (HelpGroup group in HelpGroup.All.Append(HelpGroup.Rest))
        {
            Flag[] flags = [.. table.Built.Where(flag => HelpGroup.Of(flag.Name) == group && (all || group.Common.Contains(flag.Name))).OrderBy(group.RankOf)];
            if (flags.Length > 0)
            {
                AddGroup(group, flags, Example(name, group, table), all);
            }
        }

        _page.AppendLine();
        int hidden = all ? 0 : table.Built.Count(flag => !HelpGroup.Of(flag.Name).Common.Contains(flag.Name));
        Add(0, hidden == 0 ? "--help and --version are flags of every verb." : $"{hidden} more flags: mcpproxyfast {name} --help all");
        return _page.ToString().TrimEnd();
    }

    /// <summary>Builds the example of a group: the shortest complete command of the verb, with flags of the group.</summary>
    private static string Example(string verb, HelpGroup group, FlagTable table)
    {
        string? added = group.Examples.FirstOrDefault(example => example.Split(' ')
            .Where(word => word.StartsWith("--", StringComparison.Ordinal))
            .All(word => table.Built.Any(flag => flag.Name == word[2..])));
        string command = verb switch
        {
            "proxy" or "stdio" => $"mcpproxyfast {verb} notes --target-uri https://mcp.example.com/mcp",
            "secret" => "mcpproxyfast secret set api-key",
            "tunnel" when added?.Contains("--oidc-issuer", StringComparison.Ordinal) is true => TunnelExample,
            "tunnel" => $"{TunnelExample} --oidc-issuer https://login.example.com",
            _ when table.Built.Any(flag => flag.Name == "target-uri") => $"mcpproxyfast {verb} --target-uri https://mcp.example.com/mcp",
            _ => $"mcpproxyfast {verb}",
        };
        return $"{command} {added}".TrimEnd();
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
        string? value = flag.Kind == FlagKind.Bool ? "false" : flag.Default;
        string fallback = flag.Required ? "required" : value is null ? "no default" : $"default: {value}"; // "none" is a value of some flags
        return $"[{repeats}{fallback}; {flag.EnvironmentName}]";
    }

    private static string ShortDetails(Flag flag) => flag.Required ? " [required]" : flag.Default is { } value ? $" [default: {value}]" : "";

    private void AddGroup(HelpGroup group, Flag[] flags, string example, bool all)
    {
        _page.AppendLine();
        Add(0, group.Title);
        foreach (Flag flag in flags)
        {
            if (all)
            {
                Add(2, Usage(flag));
                Add(6, flag.Help);
                Add(6, Details(flag));
            }
            else
            {
                Beside(TextColumn, Usage(flag), flag.Help + ShortDetails(flag));
            }
        }

        // A flag and its value stay on one line.
        string[] lines = [.. TextWrap.Wrap(example.Replace(" -", "\n-").Replace(' ', Joined).Replace('\n', ' '), width - ExampleHead.Length, " \\")];
        _page.Append(ExampleHead).AppendLine(lines[0].Replace(Joined, ' '));
        foreach (string line in lines.Skip(1))
        {
            _page.AppendLine($"      {line.Replace(Joined, ' ')}");
        }
    }

    /// <summary>Adds a name with its text beside it, starting in <paramref name="column"/>. If the name is too long, the text goes below it.</summary>
    private void Beside(int column, string name, string text)
    {
        string[] lines = [.. TextWrap.Wrap(text, width - column)];
        bool fits = name.Length + 4 <= column;
        _page.AppendLine(fits ? $"  {name.PadRight(column - 2)}{lines[0]}" : $"  {name}");
        foreach (string line in lines.Skip(fits ? 1 : 0))
        {
            _page.Append(' ', column).AppendLine(line);
        }
    }

    private void Add(int indent, string text)
    {
        foreach (string line in TextWrap.Wrap(text, width - indent))
        {
            _page.Append(' ', indent).AppendLine(line);
        }
    }
}
