using Xunit;

namespace McpProxyFast.Mcp.Tests.Readme;

/// <summary>Every C# block of README.md is compiled, as it stands there, and run by a test.</summary>
public sealed class ReadmeTests
{
    private static readonly string Root = FindRoot();

    public static TheoryData<string> Pages => ["README.md", "src/Engine/PACKAGE.md"];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryBlockOfThePageIsACompiledRegion(string page)
    {
        string[] compiled = [.. Directory.EnumerateFiles(Path.Combine(Root, "tests", "Mcp.Tests", "Readme"), "*.cs").SelectMany(Regions)];
        string[] shown = [.. Blocks(Path.Combine(Root, page))];
        Assert.NotEmpty(shown);
        Assert.All(shown, block => Assert.Contains(block, compiled));
    }

    [Fact]
    public void AccessLogHasTwentyLinesAsThePageSays() =>
        Assert.Equal(20, Regions(Path.Combine(Root, "tests", "Mcp.Tests", "Readme", "AccessLog.cs")).Single().Split('\n').Count(line => line.Length > 0));

    private static IEnumerable<string> Blocks(string page) => Between(page, line => line == "```csharp", line => line == "```");

    private static IEnumerable<string> Regions(string file) => Between(file, line => line.Trim() == "// <readme>", line => line.Trim() == "// </readme>");

    /// <summary>The text between two kinds of line, without its common indentation.</summary>
    private static IEnumerable<string> Between(string file, Predicate<string> begins, Predicate<string> ends)
    {
        List<string>? block = null;
        foreach (string line in File.ReadLines(file))
        {
            if (block is null)
            {
                block = begins(line) ? [] : null;
            }
            else if (ends(line))
            {
                int indentation = block.Where(text => text.Length > 0).Min(text => text.Length - text.TrimStart(' ').Length);
                yield return string.Join('\n', block.Select(text => text.Length > 0 ? text[indentation..] : text));
                block = null;
            }
            else
            {
                block.Add(line);
            }
        }
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "McpProxyFast.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run inside the working copy.");
    }
}
