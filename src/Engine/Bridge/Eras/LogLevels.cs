namespace McpProxyFast.Bridge.Eras;

/// <summary>The levels of MCP log messages (RFC 5424 §6.2.1), from the least to the most severe.</summary>
internal static class LogLevels
{
    private static readonly string[] Names = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

    /// <summary>All levels, separated by commas, for an error message.</summary>
    public static string All => string.Join(", ", Names);

    /// <summary>Whether a string is the name of a level.</summary>
    public static bool IsKnown(string? level) => Array.IndexOf(Names, level) >= 0;
}
