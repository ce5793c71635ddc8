namespace McpProxyFast.Admission;

/// <summary>What a connection remembers of its last token: clients send the same one with every request, and comparing costs less than hashing.</summary>
internal struct TokenMemo
{
    public CachedVerdict? Last;
}
