namespace McpProxyFast.Transport;

/// <summary>Told what happens on a connection that it does not read itself.</summary>
/// <remarks>Called on the thread that noticed, at most once for each <see cref="ConnectionReader.Watch"/>. Must not block and must not throw.</remarks>
internal interface IConnectionWatch
{
    /// <summary>The peer ended or reset the connection; bytes that it sent before may still be unread.</summary>
    void OnPeerEnded();

    /// <summary>Bytes came that nobody expects. Called only where the watch was set for them.</summary>
    void OnUnexpectedBytes();
}
