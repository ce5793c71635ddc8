using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using McpProxyFast.House.Tests.Reading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace McpProxyFast.House.Tests;

/// <summary>The package as a host gets it: a page to read, symbols to step through, and no dependency that nothing uses.</summary>
public sealed class PackageTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpproxyfast-package").FullName;

    /// <summary>Packs what the tests were built with.</summary>
    public async Task InitializeAsync()
    {
        string configuration = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Release") ? "Release" : "Debug";
        using Process packing = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            ["pack", Path.Combine(SourceTree.Engine, "Engine.csproj"), "--no-build", "-c", configuration, "-o", _folder, "-warnaserror", "-nodeReuse:false"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = packing.StandardError.ReadToEndAsync();
        string output = await packing.StandardOutput.ReadToEndAsync();
        await packing.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
        Assert.True(packing.ExitCode == 0, output + await errors);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public void PackageHasAPageToReadSymbolsAndOnlyWhatIsUsed()
    {
        using ZipArchive package = ZipFile.OpenRead(Directory.EnumerateFiles(_folder, "*.nupkg").Single());
        using ZipArchive symbols = ZipFile.OpenRead(Directory.EnumerateFiles(_folder, "*.snupkg").Single());
        XElement about = ReadAbout(package);
        string readme = Value(about, "readme")!;
        Assert.NotNull(package.GetEntry(readme));
        Assert.Contains(symbols.Entries, entry => entry.FullName.EndsWith("McpProxyFast.Engine.pdb", StringComparison.Ordinal));
        Assert.Contains(package.Entries, entry => entry.FullName.EndsWith("McpProxyFast.Engine.xml", StringComparison.Ordinal));

        string[] used = [.. typeof(McpProxy).Assembly.GetReferencedAssemblies().Select(name => name.Name!)];
        Assert.Empty(DirectReferences().Except(used));
    }

    /// <summary>The package's documentation helps a host, who sees public members only; the rest of it would be 400 KB that nobody can use.</summary>
    [Fact]
    public void DocumentationIsThatOfThePublicMembersAlone()
    {
        using ZipArchive package = ZipFile.OpenRead(Directory.EnumerateFiles(_folder, "*.nupkg").Single());
        using Stream text = package.GetEntry("lib/net10.0/McpProxyFast.Engine.xml")!.Open();
        XDocument documentation = XDocument.Load(text);
        string[] described = [.. documentation.Descendants("member").Select(member => member.Attribute("name")!.Value)];
        HashSet<string> visible = [.. PublicIds()];

        Keeper.ExpectNone(
            [
                .. described.Where(id => !visible.Contains(id)).Select(id => $"not public: {id}"),
                .. visible.Where(IsWritten).Except(described).Select(id => $"missing: {id}"),
                .. documentation.Descendants().Attributes("cref").Select(cref => cref.Value)
                    .Where(id => id.Contains(":McpProxyFast.", StringComparison.Ordinal) && !visible.Contains(id))
                    .Select(id => $"named, but not public: {id}"),
            ],
            "Look at src/Engine/PublicDocumentation.targets, which keeps the names of PublicApi.txt; public documentation names public members only.");
    }

    /// <summary>The members that a person documents: not the compiler's own of records, and no constructor without parameters.</summary>
    private static bool IsWritten(string id) => id.StartsWith("T:", StringComparison.Ordinal) || id.StartsWith("P:", StringComparison.Ordinal);

    /// <summary>Every public member of the engine, as documentation names it.</summary>
    private static IEnumerable<string> PublicIds()
    {
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        MetadataReference engine = MetadataReference.CreateFromFile(EngineCode.AssemblyPath);
        IEnumerable<string> others = Directory.EnumerateFiles(runtime, "System*.dll").Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll"))
            .Where(path => path != EngineCode.AssemblyPath);
        var compilation = CSharpCompilation.Create("reader", references: [engine, .. others.Select(path => MetadataReference.CreateFromFile(path))]);
        var assembly = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(engine)!;
        return TypesOf(assembly.GlobalNamespace)
            .Where(type => type.DeclaredAccessibility == Accessibility.Public)
            .SelectMany(type => type.GetMembers().Where(member => member.DeclaredAccessibility == Accessibility.Public).Prepend(type))
            .Select(symbol => symbol.GetDocumentationCommentId()!);
    }

    private static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceSymbol space) =>
        space.GetTypeMembers().SelectMany(WithNested).Concat(space.GetNamespaceMembers().SelectMany(TypesOf));

    /// <summary>A type and those within it, as far as they can be reached.</summary>
    private static IEnumerable<INamedTypeSymbol> WithNested(INamedTypeSymbol type) =>
        type.GetTypeMembers().Where(nested => type.DeclaredAccessibility == Accessibility.Public && nested.DeclaredAccessibility == Accessibility.Public)
            .SelectMany(WithNested)
            .Prepend(type);

    /// <summary>The packages that the project names and hands on; what is pinned besides them is not its own, and analyzers stay with it.</summary>
    private static IEnumerable<string> DirectReferences() => XDocument.Load(Path.Combine(SourceTree.Engine, "Engine.csproj"))
        .Descendants("PackageReference")
        .Where(reference => reference.Attribute("PrivateAssets") is null)
        .Select(reference => reference.Attribute("Include")!.Value);

    private static XElement ReadAbout(ZipArchive package)
    {
        using Stream text = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(text).Root!;
    }

    private static string? Value(XElement about, string name) => about.Descendants().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
}
