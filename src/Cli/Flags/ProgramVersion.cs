using System.Reflection;

namespace McpProxyFast.Cli.Flags;

/// <summary>The version of the program, and the commit that it was built from.</summary>
internal static class ProgramVersion
{
    /// <summary>How many characters of the commit's hash are shown.</summary>
    private const int CommitLength = 12;

    private static readonly string Informational =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>The version number without the commit.</summary>
    public static string Number { get; } = Informational.Split('+')[0];

    /// <summary>The output of <c>--version</c>.</summary>
    public static string Line { get; } = Describe(Informational);

    /// <param name="informational">The version as the build has set it. It ends with <c>+</c> and the commit if the sources were in a git repository.</param>
    public static string Describe(string informational)
    {
        string[] parts = informational.Split('+', 2);
        string commit = parts.ElementAtOrDefault(1) ?? "";
        return $"mcpproxyfast {parts[0]} ({(commit.Length == 0 ? "unknown commit" : $"commit {commit[..Math.Min(commit.Length, CommitLength)]}")})";
    }
}
