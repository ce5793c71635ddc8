namespace McpProxyFast.Serving;

/// <summary>Where an exchange stands when its stages return to the connection's loop.</summary>
internal enum ExchangeProgress : byte
{
    /// <summary>It is over, and the connection may carry another.</summary>
    Over,

    /// <summary>Its answer has begun, and the rest is streamed by the connection's loop.</summary>
    Streaming,

    /// <summary>It is over, and so is the connection.</summary>
    Close,
}
