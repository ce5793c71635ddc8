namespace McpProxyFast;

/// <summary>The transport of MCP that a bridge uses with the server.</summary>
public enum McpBridgeTransport
{
    /// <summary>Streamable HTTP first. If the server answers the first POST with 400, 404 or 405 and without a JSON-RPC message, HTTP+SSE.</summary>
    Auto,

    /// <summary>Streamable HTTP only (2025-03-26 and later).</summary>
    StreamableHttp,

    /// <summary>HTTP+SSE only (2024-11-05).</summary>
    Sse,
}
