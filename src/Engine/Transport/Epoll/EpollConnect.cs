using System.Net;

namespace McpProxyFast.Transport;

/// <summary>Connects in an event loop.</summary>
internal static class EpollConnect
{
    /// <summary>Tries one address.</summary>
    /// <returns>Null where it cannot be reached, or not in time.</returns>
    public static async ValueTask<Connection?> TryAsync(IPEndPoint endPoint, EventLoop loop, CancellationToken cancel)
    {
        SocketAddressBytes address = SocketAddressBytes.Of(endPoint);
        int fd = Libc.OpenStream(address.Family);
        if (fd < 0)
        {
            throw new IOException("The system has no room for one more socket.");
        }

        Libc.SetNoDelay(fd);
        KeepAlive.TurnOn(fd);
        int started = Libc.Connect(fd, address.Bytes.Span);
        if (started < 0 && Libc.LastError != Libc.EInProgress)
        {
            Libc.Close(fd);
            return null;
        }

        var connection = new EpollConnection(fd, loop, endPoint.Address);
        using CancellationTokenRegistration abort = cancel.UnsafeRegister(static aborted => ((Connection)aborted!).Abort(), connection);
        int error = await connection.WaitConnectedAsync().ConfigureAwait(false);
        if (error == 0 && !cancel.IsCancellationRequested)
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
