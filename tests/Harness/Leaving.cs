namespace McpProxyFast.Harness;

/// <summary>How a peer ends a connection.</summary>
public enum Leaving
{
    /// <summary>In an orderly way; what it still receives it may read.</summary>
    HalfClose,

    /// <summary>By a reset.</summary>
    Reset,
}
