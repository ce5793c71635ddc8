using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>The settings for the connections of one listener, or for those that a host program hands over.</summary>
/// <remarks>The peer's address is not here: it belongs to the connection, so all connections of a listener can share one entrance.</remarks>
/// <param name="Origins">The <c>Host</c> and <c>Origin</c> values that are allowed.</param>
/// <param name="IsTls">Clients reach the proxy over https.</param>
/// <param name="Resource">The URL of the protected resource, from the public address of the listener; null if the host of each request names it.</param>
internal sealed record Entrance(OriginRule Origins, bool IsTls, string? Resource = null)
{
    /// <summary>The scheme of the URLs that clients use for the proxy.</summary>
    public string Scheme => IsTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
}
