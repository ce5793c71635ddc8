namespace McpProxyFast.Serving;

/// <summary>
/// Holds the settings that now apply to the connections of a listener, or to those that a host program hands over. A listener's settings are replaced when its
/// public address becomes known.
/// </summary>
/// <remarks>
/// New settings also apply to the next request of an open connection. A tunnel's agent may connect before it reports its public address, and the proxy must not
/// refuse all later requests of that connection.
/// </remarks>
internal sealed class Doorway(Entrance entrance)
{
    /// <summary>The settings that apply now. Replaced as a whole.</summary>
    private Entrance _entrance = entrance;

    /// <summary>The settings that apply to a connection at this moment.</summary>
    public Entrance Entrance => Volatile.Read(ref _entrance);

    /// <summary>Replaces the settings. The new ones apply from the next request on.</summary>
    public void Replace(Entrance entrance) => Volatile.Write(ref _entrance, entrance);
}
