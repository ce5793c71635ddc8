using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>What a listener, or a host that hands a connection over, says of the connections that come in there.</summary>
/// <remarks>The peer's address is the connection's own, so that one entrance does for all connections of a listener.</remarks>
/// <param name="Origins">Which <c>Host</c> and <c>Origin</c> values may come in.</param>
/// <param name="IsTls">Clients reach the proxy by https.</param>
/// <param name="Resource">The protected resource by the listener's public address; null where each request's own host names it.</param>
internal sealed record Entrance(OriginRule Origins, bool IsTls, string? Resource = null)
{
    /// <summary>The scheme of the URLs by which clients know the proxy.</summary>
    public string Scheme => IsTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
}
