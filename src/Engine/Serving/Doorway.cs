namespace McpProxyFast.Serving;

/// <summary>Where connections come in, and what is said of them. For a listener that changes once its public address is known, also for open ones.</summary>
/// <remarks>A tunnel's agent may have connected before it has said by which address; its connection must not be refused for as long as it lives.</remarks>
internal sealed class Doorway(Entrance entrance)
{
    /// <summary>What holds now; replaced as a whole.</summary>
    private Entrance _entrance = entrance;

    /// <summary>What is said of a connection at this moment.</summary>
    public Entrance Entrance => Volatile.Read(ref _entrance);

    /// <summary>From the next look on, this holds.</summary>
    public void Replace(Entrance entrance) => Volatile.Write(ref _entrance, entrance);
}
