namespace McpProxyFast;

/// <summary>Which transport of MCP a bridge speaks with the server.</summary>
public enum McpBridgeTransport
{
    /// <summary>Streamable HTTP; HTTP+SSE if the server answers the first POST with 400, 404 or 405 and no JSON-RPC message.</summary>
    Auto,

    /// <summary>Streamable HTTP only (2025-03-26 and later).</summary>
    StreamableHttp,

    /// <summary>HTTP+SSE only (2024-11-05).</summary>
    Sse,
}
