namespace McpProxyFast;

/// <summary>
/// Whether a bridge translates between revisions of MCP that begin with <c>initialize</c> (up to 2025-11-25) and revisions without it (2026-07-28).
/// </summary>
public enum McpBridgeProtocol
{
    /// <summary>Translates if the client begins with <c>initialize</c> and the server speaks only 2026-07-28. Otherwise messages pass unchanged.</summary>
    Auto,

    /// <summary>Nothing is translated.</summary>
    PassThrough,
}
