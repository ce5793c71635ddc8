namespace McpProxyFast.Admission;

/// <summary>
/// Remembers the last token of a connection. Clients usually send the same token with every request, and it is faster to compare two tokens than to hash one.
/// </summary>
internal struct TokenMemo
{
    /// <summary>The cache entry of the last token; null if there was no such entry.</summary>
    public CachedVerdict? Last;
}
