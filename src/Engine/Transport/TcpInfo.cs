namespace McpProxyFast.Transport;

/// <summary>What Linux says of a TCP connection: <c>struct tcp_info</c>, of which new fields come only at the end.</summary>
internal static class TcpInfo
{
    /// <summary>The option <c>TCP_INFO</c> of the level <c>IPPROTO_TCP</c>.</summary>
    public const int Option = 11;

    /// <summary>As far as it is read here.</summary>
    public const int Bytes = ReceivedAt + sizeof(long);

    /// <summary>Where <c>tcpi_bytes_acked</c> lies (Linux 4.1). The state is the first byte.</summary>
    private const int AcknowledgedAt = 120;

    /// <summary>Where <c>tcpi_bytes_received</c> lies (Linux 4.1): what has come in order, a FIN counted as one.</summary>
    private const int ReceivedAt = 128;

    private const byte StateClosed = 7;
    private const byte StateCloseWait = 8;

    /// <summary>Reads the facts; false where an older system does not say them.</summary>
    public static bool TryRead(ReadOnlySpan<byte> info, out Facts facts)
    {
        facts = default;
        if (info.Length < Bytes)
        {
            return false;
        }

        byte state = info[0];
        facts = new Facts(
            Acknowledged: BitConverter.ToInt64(info[AcknowledgedAt..]),
            Received: BitConverter.ToInt64(info[ReceivedAt..]),
            PeerEnded: state is StateClosed or StateCloseWait,
            IsOver: state is StateClosed);
        return true;
    }

    /// <summary>What is read.</summary>
    /// <param name="Acknowledged">Bytes that the peer's system has acknowledged.</param>
    /// <param name="Received">Bytes that have come in order; one more where the peer's orderly end has come behind them.</param>
    /// <param name="PeerEnded">The peer has ended its side, though its bytes may still be unread.</param>
    /// <param name="IsOver">The connection is over: by a reset, where this side has not ended its own.</param>
    internal readonly record struct Facts(long Acknowledged, long Received, bool PeerEnded, bool IsOver)
    {
        /// <summary>
        /// The peer has not ended what it sends, and never will. A peer that ends in an orderly way, and resets for what still comes, has sent all of it.
        /// </summary>
        /// <param name="read">Bytes that were read from the connection, which is all that has come.</param>
        public bool WasResetBehind(long read) => IsOver && Received <= read;
    }
}
