namespace McpProxyFast.Outcomes;

/// <summary>Whose doing an outcome was.</summary>
internal enum Side : byte
{
    Client,
    Upstream,

    /// <summary>An authorization server: the one that issues the credential which goes out, or the one that judges the token which came in.</summary>
    Provider,
    Proxy,
}
