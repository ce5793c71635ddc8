using System.Net.Sockets;

namespace McpProxyFast.Transport;

/// <summary>Finds peers that vanished without a word, as when their power or their network went: a silent stream would wait for such a one for ever.</summary>
/// <remarks>The system asks a peer that has been silent, and gives the connection up where no answer comes: two minutes after it was last heard of. Streams that live are not touched.</remarks>
internal static class KeepAlive
{
    private const int IdleSeconds = 60;
    private const int IntervalSeconds = 15;
    private const int Probes = 4;

    /// <summary>Turns it on for a connection, or, on Linux, for all that a listening socket will accept.</summary>
    public static void TurnOn(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, IntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
    }

    /// <summary>Turns it on for a descriptor.</summary>
    public static void TurnOn(int fd) => Libc.SetKeepAlive(fd, IdleSeconds, IntervalSeconds, Probes);
}
