using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

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
