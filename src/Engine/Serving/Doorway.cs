namespace McpProxyFast.Serving;

/// <summary>Holds the current entrance of a listener or of a host's call. A listener's entrance is replaced when its public address becomes known.</summary>
/// <remarks>
/// Open connections see the new entrance with their next request: a tunnel's agent may connect before it reports its address, and the proxy must not refuse
/// that connection for its whole life.
/// </remarks>
internal sealed class Doorway(Entrance entrance)
{
    /// <summary>The entrance that applies now. Replaced as a whole.</summary>
    private Entrance _entrance = entrance;

    /// <summary>The settings that apply to a connection at this moment.</summary>
    public Entrance Entrance => Volatile.Read(ref _entrance);

    /// <summary>Replaces the entrance, starting with the next request.</summary>
    public void Replace(Entrance entrance) => Volatile.Write(ref _entrance, entrance);
}
