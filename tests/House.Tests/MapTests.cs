using System.Text.RegularExpressions;

namespace McpProxyFast.House.Tests;

/// <summary>The pages of the repository lead somewhere: the map of README.md is whole, and what a page points to is there.</summary>
public sealed class MapTests
{
    private static readonly string[] Pages =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "src/Engine/README.md", "tests/House.Tests/README.md", "bench/README.md", "fuzz/README.md"];

    /// <summary>Folders of which each sub-folder has a line of its own.</summary>
    private static readonly string[] Divided = ["src", "tests"];

    /// <summary>What tools leave behind; git ignores it.</summary>
    private static readonly string[] LeftBehind = [".git", ".vs", ".idea", "artifacts", "publish", "bin", "obj", "TestResults", "BenchmarkDotNet.Artifacts", "fuzz-findings"];

    [Fact]
    public void MapOfTheRepositoryIsWhole()
    {
        string readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        string map = readme[readme.IndexOf("## Where things are", StringComparison.Ordinal)..];
        string[] places = [.. FoldersOf("").SelectMany(folder => Divided.Contains(folder) ? FoldersOf(folder) : [folder])];
        Keeper.ExpectNone(
            places.Where(place => !map.Contains($"`{place}`", StringComparison.Ordinal)).Select(place => $"{place} is not in the map"),
            "Add a line to \"Where things are\" in README.md: the folder, and what it holds.");
    }

    [Fact]
    public void WhatAPageLinksToIsThere() => Keeper.ExpectNone(
        Pages.SelectMany(page => Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, page)), @"\]\((?!https?:)([^)#]+)")
            .Select(link => link.Groups[1].Value)
            .Where(link => !Path.Exists(Path.Combine(SourceTree.Root, Path.GetDirectoryName(page)!, link)))
            .Select(link => $"{page} links to {link}, which is not there")),
        "Correct the link.");

    /// <summary>The files and folders that the pages for contributors name in backquotes.</summary>
    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("src/Engine/README.md")]
    public void WhatAPageForContributorsNamesIsThere(string page) => Keeper.ExpectNone(
        Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, page)), @"`((?:src|tests|bench|fuzz|\.ci)/[\w./-]+)`")
            .Select(name => name.Groups[1].Value)
            .Where(name => !Path.Exists(Path.Combine(SourceTree.Root, name)) && !File.Exists(Path.Combine(SourceTree.Root, name + ".cs")))
            .Select(name => $"{page} names {name}, which is not there"),
        "Correct the name.");

    private static IEnumerable<string> FoldersOf(string top) => Directory.EnumerateDirectories(Path.Combine(SourceTree.Root, top))
        .Select(path => Path.GetFileName(path))
        .Where(name => !LeftBehind.Contains(name))
        .Select(name => top.Length == 0 ? name : $"{top}/{name}");
}
