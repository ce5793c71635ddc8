namespace McpProxyFast.Serving;

/// <summary>The state of an exchange when its stages return to the connection's loop.</summary>
internal enum ExchangeProgress : byte
{
    /// <summary>The exchange is over, and the connection may carry another.</summary>
    Over,

    /// <summary>The response has begun. The connection's loop streams the rest.</summary>
    Streaming,

    /// <summary>The exchange and its connection are over.</summary>
    Close,
}
