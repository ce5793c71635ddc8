namespace McpProxyFast.Outcomes;

/// <summary>The side that caused a refusal or a fault, as a tag of the counters.</summary>
internal enum Side : byte
{
    Client,
    Upstream,

    /// <summary>An authorization server: it issues the credential for the upstream, or the keys or answers with which callers' tokens are checked.</summary>
    Provider,
    Proxy,
}
