using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace McpProxyFast.House.Tests;

/// <summary>No package without a reason, and none that nothing uses: each is code of others that is trusted and kept up to date.</summary>
public sealed class PackageReferenceTests
{
    /// <summary>What the code of a project says that uses the package. Null: the build uses it, and no line of code.</summary>
    private static readonly Dictionary<string, string?> Signs = new()
    {
        ["BenchmarkDotNet"] = @"using BenchmarkDotNet",
        ["CommandLineParser"] = @"using CommandLine;",
        ["Duende.IdentityModel"] = @"using Duende\.IdentityModel",
        ["Microsoft.AspNetCore.Authentication.JwtBearer"] = @"AddJwtBearer",
        ["Microsoft.CodeAnalysis.BannedApiAnalyzers"] = null,
        ["Microsoft.CodeAnalysis.CSharp"] = @"using Microsoft\.CodeAnalysis\.CSharp",
        ["Microsoft.EntityFrameworkCore.InMemory"] = @"UseInMemoryDatabase",
        ["Microsoft.Extensions.Logging.Abstractions"] = @"using Microsoft\.Extensions\.Logging",
        ["Microsoft.Extensions.TimeProvider.Testing"] = @"FakeTimeProvider",
        ["Microsoft.IdentityModel.JsonWebTokens"] = @"using Microsoft\.IdentityModel\.JsonWebTokens",
        ["Microsoft.NET.Test.Sdk"] = null,
        ["ModelContextProtocol"] = @"using ModelContextProtocol",
        ["ModelContextProtocol.AspNetCore"] = @"WithHttpTransport|MapMcp",
        ["OpenIddict.AspNetCore"] = @"AddOpenIddict",
        ["OpenIddict.EntityFrameworkCore"] = @"UseEntityFrameworkCore",
        ["Pipelines.Sockets.Unofficial"] = @"using Pipelines\.Sockets\.Unofficial",
        ["SharpFuzz"] = @"using SharpFuzz",
        ["System.Security.Cryptography.ProtectedData"] = @"ProtectedData\.",
        ["Yarp.ReverseProxy"] = @"using Yarp\.|AddReverseProxy",
        ["YamlDotNet"] = @"using YamlDotNet\.Core",
        ["xunit"] = @"using Xunit|\[Fact\]",
        ["xunit.runner.visualstudio"] = null,
    };

    private static readonly XElement[] Versions = [.. XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Packages.props")).Descendants("PackageVersion")];

    /// <summary>Every reference of every project, with the folder of the project.</summary>
    private static readonly (string Folder, string Package)[] References =
    [
        .. new[] { "src", "tests", "bench", "fuzz" }
            .SelectMany(top => Directory.EnumerateFiles(Path.Combine(SourceTree.Root, top), "*.csproj", SearchOption.AllDirectories))
            .SelectMany(project => XDocument.Load(project).Descendants("PackageReference")
                .Select(reference => (Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value))),
    ];

    [Fact]
    public void EveryReferenceIsUsed() => Keeper.ExpectNone(
        References.Where(reference => !IsUsed(reference.Folder, reference.Package))
            .Select(reference => $"{SourceTree.Shown(reference.Folder)} names {reference.Package}, and no code of it does"),
        "Take the reference out of the project. If it is used, correct its row in PackageReferenceTests.Signs; a new package needs one.");

    [Fact]
    public void EveryPackageHasItsReasonBesideIt() => Keeper.ExpectNone(
        Versions.Where(version => version.PreviousNode is not XComment { Value.Length: > 20 }).Select(version => $"{version.Attribute("Include")!.Value} has no line of reason"),
        "Write a comment above the package in Directory.Packages.props: what it is for, and why it is not written by hand.");

    [Fact]
    public void EveryPackageIsReferencedOrPinned()
    {
        HashSet<string> referenced = [.. References.Select(reference => reference.Package)];
        Keeper.ExpectNone(
            Versions.Where(version => version.Parent!.Attribute("Label")?.Value != "Transitive")
                .Select(version => version.Attribute("Include")!.Value)
                .Where(package => !referenced.Contains(package)),
            "Take the package out of Directory.Packages.props, or move it to the group of transitive pins.");
    }

    private static bool IsUsed(string folder, string package) => Signs.TryGetValue(package, out string? sign)
        && (sign is null || SourceTree.In(folder).Any(file => Regex.IsMatch(File.ReadAllText(file.Path), sign)));
}
