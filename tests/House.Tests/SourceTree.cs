namespace McpProxyFast.House.Tests;

/// <summary>The engine's source files, as they lie in the working copy that the tests were built from.</summary>
internal static class SourceTree
{
    public static string Engine { get; } = Path.Combine(FindRoot(), "src", "Engine");

    /// <summary>Every file of the engine that a person wrote, with the folder it belongs to; empty for the root.</summary>
    public static IEnumerable<(string Folder, string Path)> Files()
    {
        foreach (string path in Directory.EnumerateFiles(Engine, "*.cs", SearchOption.AllDirectories))
        {
            string[] parts = Path.GetRelativePath(Engine, path).Split(Path.DirectorySeparatorChar);
            if (parts[0] is not ("bin" or "obj"))
            {
                yield return (parts.Length == 1 ? "" : parts[0], path);
            }
        }
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "McpProxyFast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("The tests do not run inside the working copy.");
    }
}
