using System.Text.RegularExpressions;

namespace McpProxyFast.House.Tests;

/// <summary>The arrows of the design: a folder of the engine uses what stands here, and nothing else.</summary>
public sealed partial class LayeringTests
{
    /// <summary>Folder → the folders it may use. The root's records and hooks may be used by all.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Serving"] = ["Admission", "Credentials", "Rewriting", "Relay", "Upstream", "Transport", "Http1", "Outcomes"],
        ["Admission"] = ["Http1", "Outcomes"],
        ["Credentials"] = ["OAuth", "Http1", "Outcomes"],
        ["OAuth"] = ["Outcomes"],
        ["Rewriting"] = ["Http1"],
        ["Relay"] = ["Http1", "Outcomes"],
        ["Upstream"] = ["Transport", "Outcomes"],
        ["Transport"] = ["Outcomes"],
        ["Http1"] = ["Outcomes"],
        ["Outcomes"] = [],
        ["Stdio"] = ["OAuth", "Credentials", "Outcomes"],
    };

    /// <summary>The files of the root that put the folders together; every other file of the root uses none.</summary>
    private static readonly string[] Wiring = ["McpProxy.cs", "ProxyParts.cs", "IncomingTokens.cs", "StoredCredentials.cs"];

    public static TheoryData<string> Folders() => [.. SourceTree.Files().Select(file => file.Folder).Where(folder => folder.Length > 0).Distinct()];

    [Theory]
    [MemberData(nameof(Folders))]
    public void FolderUsesOnlyWhatTheTableAllows(string folder)
    {
        Assert.True(Allowed.ContainsKey(folder), $"{folder} is not in the table.");
        IEnumerable<string> arrows = SourceTree.Files()
            .Where(file => file.Folder == folder)
            .SelectMany(file => UsedBy(file.Path).Where(used => used != folder && !Allowed[folder].Contains(used)).Select(used => $"{Path.GetFileName(file.Path)} → {used}"));
        Assert.Empty(arrows);
    }

    [Fact]
    public void RecordsAndHooksOfTheRootUseNoFolder() => Assert.Empty(
        SourceTree.Files()
            .Where(file => file.Folder.Length == 0 && !Wiring.Contains(Path.GetFileName(file.Path)))
            .SelectMany(file => UsedBy(file.Path).Select(used => $"{Path.GetFileName(file.Path)} → {used}")));

    [Fact]
    public void NamespaceIsTheFolders() => Assert.Empty(
        SourceTree.Files()
            .Where(file => !File.ReadLines(file.Path).Contains(file.Folder.Length == 0 ? "namespace McpProxyFast;" : $"namespace McpProxyFast.{file.Folder};"))
            .Select(file => file.Path));

    /// <summary>The hot path never meets <c>HttpClient</c>, which pools, redirects and decompresses by itself.</summary>
    [Theory]
    [InlineData("HttpClient", "OAuth")]
    [InlineData("Duende.IdentityModel", "OAuth")]
    [InlineData("LibraryImport", "Transport")]
    [InlineData("unsafe ", "Transport")]
    public void NameIsUsedInOneFolderOnly(string name, string folder) => Assert.Empty(
        SourceTree.Files()
            .Where(file => file.Folder != folder && File.ReadLines(file.Path).Any(line => IsCode(line) && line.Contains(name, StringComparison.Ordinal)))
            .Select(file => file.Path));

    [Fact]
    public void EveryRowOfTheTableButTheUnbuiltIsAFolder()
    {
        string[] folders = [.. SourceTree.Files().Select(file => file.Folder).Distinct()];
        Assert.Empty(Allowed.Keys.Except(folders).Except(["Stdio"]));
    }

    private static IEnumerable<string> UsedBy(string path) => File.ReadLines(path)
        .Where(IsCode)
        .SelectMany(line => Reference().Matches(line).Select(match => match.Groups[1].Value))
        .Where(Allowed.ContainsKey)
        .Distinct();

    private static bool IsCode(string line) => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && !line.StartsWith("namespace ", StringComparison.Ordinal);

    [GeneratedRegex(@"\bMcpProxyFast\.([A-Za-z0-9]+)")]
    private static partial Regex Reference();
}
