namespace McpProxyFast.Transport;

/// <summary>What Linux reports about a TCP connection: <c>struct tcp_info</c>. New kernels add fields only at the end.</summary>
internal static class TcpInfo
{
    /// <summary>The option <c>TCP_INFO</c> at the level <c>IPPROTO_TCP</c>.</summary>
    public const int Option = 11;

    /// <summary>The length of the part of the structure that is read here.</summary>
    public const int Bytes = ReceivedAt + sizeof(long);

    /// <summary>The offset of <c>tcpi_bytes_acked</c> (Linux 4.1).</summary>
    private const int AcknowledgedAt = 120;

    /// <summary>The offset of <c>tcpi_bytes_received</c> (Linux 4.1): bytes received in order; a FIN counts as one.</summary>
    private const int ReceivedAt = 128;

    private const byte StateClosed = 7;
    private const byte StateCloseWait = 8;

    /// <summary>Reads the facts. Returns false if the system is too old to report them.</summary>
    public static bool TryRead(ReadOnlySpan<byte> info, out Facts facts)
    {
        facts = default;
        if (info.Length < Bytes)
        {
            return false;
        }

        byte state = info[0]; // tcpi_state is the first field
        facts = new Facts(
            Acknowledged: BitConverter.ToInt64(info[AcknowledgedAt..]),
            Received: BitConverter.ToInt64(info[ReceivedAt..]),
            PeerEnded: state is StateClosed or StateCloseWait,
            IsOver: state is StateClosed);
        return true;
    }

    /// <summary>The facts read from the structure.</summary>
    /// <param name="Acknowledged">Bytes that the peer's system has acknowledged.</param>
    /// <param name="Received">Bytes that have arrived in order. One more if the peer's orderly end has arrived after them.</param>
    /// <param name="PeerEnded">The peer has ended its side. Its bytes may still be unread.</param>
    /// <param name="IsOver">The connection is closed in both directions. If this side has not ended its own, a reset was the cause.</param>
    internal readonly record struct Facts(long Acknowledged, long Received, bool PeerEnded, bool IsOver)
    {
        /// <summary>
        /// The connection was reset before the peer's orderly end. A reset after that end, for example because of late data, does not count: then the peer has
        /// sent everything.
        /// </summary>
        /// <param name="read">The bytes read from the connection, which is all that has arrived.</param>
        public bool WasResetBehind(long read) => IsOver && Received <= read;
    }
}
