namespace McpProxyFast.Transport;

/// <summary>
/// Detects peers that vanished silently, for example by loss of power or network. Otherwise a silent stream would wait for such a peer for ever.
/// </summary>
/// <remarks>
/// The system probes a silent peer, and closes the connection if it answers no probe, two minutes after it was last heard from. Live streams are not affected.
/// </remarks>
internal static class TcpKeepAlive
{
    public const int IdleSeconds = 60;
    public const int IntervalSeconds = 15;
    public const int Probes = 4;
}
