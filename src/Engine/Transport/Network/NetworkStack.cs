using System.ComponentModel;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using McpProxyFast.Transport.Epoll;
using McpProxyFast.Transport.Streams;

namespace McpProxyFast.Transport.Network;

/// <summary>The one place that chooses what carries a connection: an event loop where the system has epoll, else the runtime's sockets and streams.</summary>
internal sealed class NetworkStack : IDisposable
{
    /// <summary>This proxy's share in the event loops; null where there are none.</summary>
    private readonly EventLoops? _loops;

    /// <param name="portable">Leave the event loops out also where the system has them.</param>
    public NetworkStack(bool portable = false) => _loops = !portable && OperatingSystem.IsLinux() ? new EventLoops() : null;

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address is in use or not of this machine.</exception>
    public Listener Bind(IPEndPoint address) => new(address, _loops);

    /// <summary>Binds and listens on the loopback address of IPv4 and, where the machine has one, on that of IPv6, with one port.</summary>
    /// <param name="port">The port; 0 for one that the system chooses.</param>
    /// <exception cref="SocketException">The port is in use on one of the two.</exception>
    public Listener[] BindLoopbacks(int port)
    {
        const int mostTries = 10; // a port that is free on the one address may be taken on the other
        for (int tries = 1; ; tries++)
        {
            Listener four = Bind(new IPEndPoint(IPAddress.Loopback, port));
            try
            {
                return [four, Bind(new IPEndPoint(IPAddress.IPv6Loopback, four.LocalEndPoint.Port))];
            }
            catch (SocketException none) when (none.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
            {
                return [four];
            }
            catch (SocketException) when (port == 0 && tries < mostTries)
            {
                four.Dispose();
            }
            catch
            {
                four.Dispose();
                throw;
            }
        }
    }

    /// <summary>Connects to one address.</summary>
    /// <param name="endPoint">The address.</param>
    /// <param name="affinity">What is to serve the connection, where that can be chosen; null for anything.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="Win32Exception">It cannot be reached, or the system has no room for one more socket; with the system's error.</exception>
    /// <exception cref="IOException">It ended at once, or the system does not watch one more socket.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<Connection> ConnectAsync(IPEndPoint endPoint, Affinity? affinity, CancellationToken cancel)
    {
        if (_loops is not null)
        {
            return await EpollConnect.ConnectAsync(endPoint, affinity as EventLoop ?? _loops.Next(), cancel).ConfigureAwait(false);
        }

        Socket socket = await ConnectSocketAsync(endPoint, cancel).ConfigureAwait(false);
        try
        {
            return Over(socket, endPoint.Address);
        }
        catch
        {
            socket.Dispose(); // the peer has reset it meanwhile: some systems refuse a stream over it
            throw;
        }
    }

    /// <summary>Connects a socket of the runtime.</summary>
    /// <exception cref="SocketException">The address cannot be reached, or the system has no room for one more socket.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async ValueTask<Socket> ConnectSocketAsync(IPEndPoint endPoint, CancellationToken cancel)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            SetOptions(socket);
            await socket.ConnectAsync(endPoint, cancel).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A connection over a socket of the runtime.</summary>
    public static Connection Over(Socket socket, IPAddress? remoteAddress) => Over(socket, new NetworkStream(socket, ownsSocket: true), remoteAddress);

    /// <summary>A connection over a stream that is over a socket, as TLS is.</summary>
    public static Connection Over(Socket socket, Stream stream, IPAddress? remoteAddress) => new(new StreamChannel(socket, stream), remoteAddress);

    /// <summary>A connection over a host's duplex pipe.</summary>
    public static Connection Over(IDuplexPipe pipe, IPAddress? remoteAddress) => new(new PipeChannel(pipe), remoteAddress);

    /// <summary>What every connection's socket has: nothing waits to be sent, urgent data are bytes in their place, silent peers are asked.</summary>
    public static void SetOptions(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, TcpKeepAlive.IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, TcpKeepAlive.IntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, TcpKeepAlive.Probes);
    }

    public void Dispose() => _loops?.Dispose();
}
