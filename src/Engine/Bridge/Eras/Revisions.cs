namespace McpProxyFast.Bridge.Eras;

/// <summary>The revisions of the MCP specification.</summary>
internal static class Revisions
{
    /// <summary>The first revision without a handshake (<c>initialize</c>).</summary>
    public const string Modern = "2026-07-28";

    /// <summary>The last revision with a handshake.</summary>
    public const string LastLegacy = "2025-11-25";

    /// <summary>The first revision in which an elicitation may send a person to a URL.</summary>
    public const string FirstWithUrlElicitation = LastLegacy;

    /// <summary>All revisions with a handshake.</summary>
    private static readonly string[] Legacy = ["2024-11-05", "2025-03-26", "2025-06-18", LastLegacy];

    /// <summary>Whether a string names a revision with a handshake.</summary>
    public static bool IsLegacy(string? revision) => Array.IndexOf(Legacy, revision) >= 0;
}
