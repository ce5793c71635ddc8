using System.Net;

namespace McpProxyFast.Transport.Epoll;

/// <summary>Connects in an event loop.</summary>
internal static class EpollConnect
{
    /// <summary>Tries one address.</summary>
    /// <returns>Null where it cannot be reached, or not in time.</returns>
    /// <exception cref="IOException">The system has no room for one more socket.</exception>
    public static async ValueTask<Connection?> TryAsync(IPEndPoint endPoint, EventLoop loop, CancellationToken cancel)
    {
        SocketAddressBytes address = SocketAddressBytes.Of(endPoint);
        int fd = Libc.OpenStream(address.Family);
        if (fd < 0)
        {
            throw new IOException("The system has no room for one more socket.");
        }

        Libc.SetNoDelay(fd);
        Libc.SetUrgentInline(fd);
        Libc.SetKeepAlive(fd, TcpKeepAlive.IdleSeconds, TcpKeepAlive.IntervalSeconds, TcpKeepAlive.Probes);
        int started = Libc.Connect(fd, address.Bytes.Span);
        if (started < 0 && Libc.LastError != Libc.EInProgress)
        {
            Libc.Close(fd);
            return null;
        }

        var channel = new EpollChannel(fd, loop);
        var connection = new Connection(channel, endPoint.Address);
        CancellationTokenRegistration abort = cancel.UnsafeRegister(static aborted => ((Connection)aborted!).Abort(), connection);
        await connection.Output.WaitWritableAsync().ConfigureAwait(false);
        bool isInTime = abort.Unregister() || !cancel.CanBeCanceled; // else it has been aborted, or is just being
        if (isInTime && channel.TakeConnectError() == 0)
        {
            return connection;
        }

        connection.Close(reset: false);
        return null;
    }

    /// <summary>An end point in the form of the system's calls.</summary>
    private readonly record struct SocketAddressBytes(int Family, ReadOnlyMemory<byte> Bytes)
    {
        private const int InetFamily = 2;
        private const int Inet6Family = 10;

        public static SocketAddressBytes Of(IPEndPoint endPoint)
        {
            SocketAddress address = endPoint.Serialize();
            bool v6 = endPoint.AddressFamily is System.Net.Sockets.AddressFamily.InterNetworkV6;
            return new SocketAddressBytes(v6 ? Inet6Family : InetFamily, address.Buffer[..address.Size]);
        }
    }
}
