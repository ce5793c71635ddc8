namespace McpProxyFast.House.Tests;

/// <summary>The source files, as they lie in the working copy that the tests were built from.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static string Engine { get; } = Path.Combine(Root, "src", "Engine");

    /// <summary>Every file of the engine that a person wrote, with the folder it lies in (<c>Transport/Epoll</c>); empty for the root.</summary>
    public static IEnumerable<(string Folder, string Path)> Files() => In(Engine);

    /// <summary>Every C# file below a folder that a person wrote, with its own folder in it; empty for the top.</summary>
    public static IEnumerable<(string Folder, string Path)> In(string top)
    {
        foreach (string path in Directory.EnumerateFiles(top, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string[] parts = Path.GetRelativePath(top, path).Split(Path.DirectorySeparatorChar);
            if (!parts.Any(part => part is "bin" or "obj"))
            {
                yield return (string.Join('/', parts[..^1]), path);
            }
        }
    }

    /// <summary>A path as a person names it: from the root of the working copy, with slashes.</summary>
    public static string Shown(string path) => Path.GetRelativePath(Root, path).Replace(Path.DirectorySeparatorChar, '/');

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
