namespace McpProxyFast;

/// <summary>Whether a bridge translates between revisions of MCP with a handshake (up to 2025-11-25) and without one (2026-07-28).</summary>
public enum McpBridgeProtocol
{
    /// <summary>Translates if the client begins with <c>initialize</c> and the server speaks only 2026-07-28. Otherwise messages pass unchanged.</summary>
    Auto,

    /// <summary>Nothing is translated.</summary>
    PassThrough,
}
