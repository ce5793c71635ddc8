namespace McpProxyFast.Bridge.Eras;

/// <summary>Revisions of the specification, by their names.</summary>
internal static class Revisions
{
    /// <summary>The first without a handshake.</summary>
    public const string Modern = "2026-07-28";

    /// <summary>The last with a handshake.</summary>
    public const string LastLegacy = "2025-11-25";

    /// <summary>The first with elicitation that leads a person to a URL.</summary>
    public const string FirstWithUrlElicitation = LastLegacy;

    /// <summary>Those with a handshake.</summary>
    private static readonly string[] Legacy = ["2024-11-05", "2025-03-26", "2025-06-18", LastLegacy];

    /// <summary>Whether it is a known revision with a handshake.</summary>
    public static bool IsLegacy(string? revision) => Array.IndexOf(Legacy, revision) >= 0;
}
