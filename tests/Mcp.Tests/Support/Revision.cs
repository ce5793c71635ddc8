namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>The revisions of MCP that the tests speak.</summary>
public static class Revision
{
    /// <summary>Stateful: sessions, a GET stream, requests of the server.</summary>
    public const string Stateful = "2025-11-25";

    /// <summary>Stateless: POST only, every request for itself.</summary>
    public const string Stateless = "2026-07-28";
}
