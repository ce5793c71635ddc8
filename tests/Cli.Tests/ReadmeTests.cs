using System.Text.RegularExpressions;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The table "All flags" of README.md has every flag that a page of help shows, in the group of the help, and no other.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string[] Verbs = ["proxy", "stdio", "tunnel", "login", "logout", "status", "secret", "demo"];

    [Fact]
    public async Task ReadmeListsEveryFlagInItsGroup()
    {
        var shown = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string verb in Verbs)
        {
            Outcome help = await Command.RunAsync([verb, "--help", "all"]);
            shown.UnionWith(HelpFlag().Matches(help.Output).Select(flag => $"{HelpGroup.Of(flag.Groups[1].Value).Title}: {flag.Groups[1].Value}"));
        }

        Assert.Equal(shown, new SortedSet<string>(InReadme(), StringComparer.Ordinal));
    }

    private static IEnumerable<string> InReadme()
    {
        string readme = File.ReadAllText(Path.Combine(Root(), "README.md"));
        string section = readme[readme.IndexOf("## All flags\n", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", StringComparison.Ordinal)];
        return from row in section.Split('\n')
               where row.StartsWith("| ", StringComparison.Ordinal)
               from flag in ReadmeFlag().Matches(row)
               select $"{row.Split('|')[1].Trim()}: {flag.Groups[1].Value}";
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "McpProxyFast.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder;
    }

    [GeneratedRegex("(?m)^  --([a-z0-9-]+)")]
    private static partial Regex HelpFlag();

    [GeneratedRegex("`--([a-z0-9-]+)`")]
    private static partial Regex ReadmeFlag();
}
