namespace McpProxyFast;

/// <summary>Whether a bridge joins a client and a server that speak revisions of different eras.</summary>
public enum McpBridgeProtocol
{
    /// <summary>A client that begins with <c>initialize</c> is translated at a server that speaks 2026-07-28 alone; everybody else is passed through.</summary>
    Auto,

    /// <summary>Nothing is translated.</summary>
    PassThrough,
}
