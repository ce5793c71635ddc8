namespace McpProxyFast.Transport;

/// <summary>Is called when the peer ends a connection, or sends bytes while nobody reads.</summary>
/// <remarks>Called on the thread that noticed the event, at most once per <see cref="ConnectionReader.Watch"/>. Must not block and must not throw.</remarks>
internal interface IConnectionWatch
{
    /// <summary>The peer ended or reset the connection. Bytes sent before that may still be unread.</summary>
    void OnPeerEnded();

    /// <summary>Unexpected bytes arrived. Called only if the watch asked for that.</summary>
    void OnUnexpectedBytes();
}
