namespace McpProxyFast.Outcomes;

/// <summary>The side that caused an outcome.</summary>
internal enum Side : byte
{
    Client,
    Upstream,

    /// <summary>An authorization server: one that issues the credential for the upstream, or one that checks the caller's token.</summary>
    Provider,
    Proxy,
}
