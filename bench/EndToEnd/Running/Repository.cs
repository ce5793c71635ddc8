namespace McpProxyFast.EndToEnd.Running;

/// <summary>The working copy that the program was built from.</summary>
internal static class Repository
{
    private const string NativeName = "mcpproxyfast";

    public static string Root { get; } = FindRoot();

    public static string Baselines => Path.Combine(Root, "bench", "Baselines");

    /// <summary>The commit, marked where files differ from it: other files than results, which a run of several parts writes one after the other.</summary>
    public static string Commit()
    {
        if (!Command.IsInstalled("git"))
        {
            return "unknown, git is not installed";
        }

        string commit = new Command("git", ["-C", Root, "rev-parse", "--short=12", "HEAD"]).Output();
        bool isChanged = new Command("git", ["-C", Root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/Baselines"]).Output().Length > 0;
        return isChanged ? commit + " with changes" : commit;
    }

    /// <summary>Where <c>.ci/publish-native</c> puts the native command line.</summary>
    public static string NativeFile => Path.Combine(Root, "artifacts", "native", NativeName);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "McpProxyFast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("The benchmark has to be run from a build within the repository.");
    }
}
