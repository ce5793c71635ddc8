namespace McpProxyFast.Transport;

/// <summary>Finds peers that vanished without a word, as when their power or their network went: a silent stream would wait for such a one for ever.</summary>
/// <remarks>
/// The system asks a peer that has been silent, and gives the connection up where no answer comes: two minutes after it was last heard of. Streams that
/// live are not touched.
/// </remarks>
internal static class TcpKeepAlive
{
    public const int IdleSeconds = 60;
    public const int IntervalSeconds = 15;
    public const int Probes = 4;
}
