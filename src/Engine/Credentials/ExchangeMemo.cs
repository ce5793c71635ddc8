namespace McpProxyFast.Credentials;

/// <summary>
/// The last exchanged token that was found for a client connection. Clients send the same token again, and comparing it costs less than hashing it for the
/// cache.
/// </summary>
internal struct ExchangeMemo
{
    public ExchangedToken? Last;
}
