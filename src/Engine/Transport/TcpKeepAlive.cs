namespace McpProxyFast.Transport;

/// <summary>
/// Settings of TCP keep-alive, which detects peers that vanished silently, for example by loss of power or network. Without it, a silent stream would wait for
/// such a peer for ever.
/// </summary>
/// <remarks>
/// The system probes a silent peer. If the peer answers no probe, the system closes the connection two minutes after it last heard from the peer. Live streams
/// are not affected.
/// </remarks>
internal static class TcpKeepAlive
{
    public const int IdleSeconds = 60;
    public const int IntervalSeconds = 15;
    public const int Probes = 4;
}
