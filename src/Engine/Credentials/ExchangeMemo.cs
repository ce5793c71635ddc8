namespace McpProxyFast.Credentials;

/// <summary>What a connection remembers of its last exchanged token: clients send the same one again, and comparing costs less than hashing.</summary>
internal struct ExchangeMemo
{
    public ExchangedToken? Last;
}
