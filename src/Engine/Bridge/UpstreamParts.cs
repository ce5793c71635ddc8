namespace McpProxyFast.Bridge;

/// <summary>What the transports of one conversation share.</summary>
/// <param name="Link">Sends requests to the server.</param>
/// <param name="Delivery">Sends messages to the client.</param>
/// <param name="Large">Bounds the memory of large messages from the server.</param>
/// <param name="Ending">Cancelled to close every exchange with the server.</param>
internal sealed record UpstreamParts(ProxyLink Link, Delivery Delivery, LargeMessages Large, CancellationToken Ending)
{
    public BridgeSettings Settings => Delivery.Settings;
}
