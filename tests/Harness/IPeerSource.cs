namespace McpProxyFast.Harness;

/// <summary>Where connections to a peer of the proxy come in.</summary>
public interface IPeerSource
{
    /// <summary>Waits for the next connection, and gives the peer's end of it.</summary>
    Task<RawPeer> AcceptAsync();
}
