namespace McpProxyFast.House.Tests.Reading;

/// <summary>The engine as it was compiled and as it was written, each read once.</summary>
internal static class EngineCode
{
    private static readonly Lazy<IReadOnlyCollection<Use>> LazyCompiled = new(() =>
    {
        using FileStream assembly = File.OpenRead(AssemblyPath);
        return CompiledUses.Read(assembly);
    });

    private static readonly Lazy<IReadOnlyCollection<Use>> LazyWritten = new(
        () => SourceUses.Read(SourceUses.Bind(SourceTree.Files().Select(file => SourceUses.Parse(File.ReadAllText(file.Path), file.Path)))));

    public static string AssemblyPath => typeof(McpProxy).Assembly.Location;

    /// <summary>What the compiled code uses.</summary>
    public static IReadOnlyCollection<Use> Compiled => LazyCompiled.Value;

    /// <summary>What the source names.</summary>
    public static IReadOnlyCollection<Use> Written => LazyWritten.Value;
}
