namespace McpProxyFast.Bridge.Eras;

/// <summary>The levels of log messages (RFC 5424 §6.2.1), from the least to the gravest.</summary>
internal static class LogLevels
{
    private static readonly string[] Names = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

    /// <summary>All of them, for a sentence.</summary>
    public static string All => string.Join(", ", Names);

    /// <summary>Whether it is one.</summary>
    public static bool IsKnown(string? level) => Array.IndexOf(Names, level) >= 0;
}
