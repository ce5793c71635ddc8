using System.ComponentModel;
using System.Net;

namespace McpProxyFast.Transport.Epoll;

/// <summary>Connects in an event loop.</summary>
internal static class EpollConnect
{
    /// <summary>Connects to one address.</summary>
    /// <exception cref="Win32Exception">The address cannot be reached, or no socket is available. Contains the system's error code.</exception>
    /// <exception cref="IOException">The socket could not be added to epoll.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async ValueTask<Connection> ConnectAsync(IPEndPoint endPoint, EventLoop loop, CancellationToken cancel)
    {
        SocketAddressBytes address = SocketAddressBytes.Of(endPoint);
        int fd = Libc.OpenStream(address.Family);
        if (fd < 0)
        {
            throw new Win32Exception(Libc.LastError);
        }

        Libc.SetNoDelay(fd);
        Libc.SetUrgentInline(fd);
        Libc.SetKeepAlive(fd, TcpKeepAlive.IdleSeconds, TcpKeepAlive.IntervalSeconds, TcpKeepAlive.Probes);
        int error = Libc.Connect(fd, address.Bytes.Span) < 0 ? Libc.LastError : 0;
        if (error is not (0 or Libc.EInProgress))
        {
            Libc.Close(fd);
            throw new Win32Exception(error);
        }

        var channel = new EpollChannel(fd, loop, isAccepted: false);
        var connection = new Connection(channel, endPoint.Address);
        using (cancel.UnsafeRegister(static aborted => ((Connection)aborted!).Abort(), connection))
        {
            await connection.Output.WaitWritableAsync().ConfigureAwait(false);
        }

        // The token can no longer abort the connection. So if the connect has succeeded, the connection stays usable.
        error = channel.TakeConnectError();
        if (error == 0 && !cancel.IsCancellationRequested)
        {
            return connection;
        }

        connection.Close(reset: false);
        cancel.ThrowIfCancellationRequested();
        throw new Win32Exception(error);
    }

    /// <summary>An end point in the form that system calls use.</summary>
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
