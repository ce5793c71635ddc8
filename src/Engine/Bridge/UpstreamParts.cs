namespace McpProxyFast.Bridge;

/// <summary>What the transports of one conversation share.</summary>
/// <param name="Link">The way to the server.</param>
/// <param name="Delivery">The way to the client.</param>
/// <param name="Large">Bounds what is held of large messages of the server.</param>
/// <param name="Ending">Cancelled to close every exchange.</param>
internal sealed record UpstreamParts(ProxyLink Link, Delivery Delivery, LargeMessages Large, CancellationToken Ending)
{
    public BridgeSettings Settings => Delivery.Settings;
}
