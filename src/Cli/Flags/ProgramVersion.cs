using System.Reflection;

namespace McpProxyFast.Cli.Flags;

/// <summary>Which build this is: the version, and the commit that it was built from.</summary>
internal static class ProgramVersion
{
    /// <summary>What tells two commits apart.</summary>
    private const int CommitLength = 12;

    private static readonly string Informational =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>The number alone.</summary>
    public static string Number { get; } = Informational.Split('+')[0];

    /// <summary>What <c>--version</c> prints.</summary>
    public static string Line { get; } = Describe(Informational);

    /// <param name="informational">The version as the build set it: with <c>+</c> and the commit, if the sources lay in git.</param>
    public static string Describe(string informational)
    {
        string[] parts = informational.Split('+', 2);
        string commit = parts.ElementAtOrDefault(1) ?? "";
        return $"mcpproxyfast {parts[0]} ({(commit.Length == 0 ? "unknown commit" : $"commit {commit[..Math.Min(commit.Length, CommitLength)]}")})";
    }
}
