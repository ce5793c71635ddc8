using System.ComponentModel;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using McpProxyFast.Transport.Epoll;
using McpProxyFast.Transport.Streams;

namespace McpProxyFast.Transport.Network;

/// <summary>
/// Creates listeners and connections: over event loops if the system has epoll, otherwise over the runtime's sockets and streams. TLS always uses the runtime's
/// streams. Only this class makes the choice.
/// </summary>
internal sealed class NetworkStack : IDisposable
{
    /// <summary>The event loops; null to use the runtime's sockets.</summary>
    private readonly EventLoops? _loops;

    /// <param name="portable">Whether the runtime's sockets are used even if the system has epoll.</param>
    public NetworkStack(bool portable = false) => _loops = !portable && OperatingSystem.IsLinux() ? new EventLoops() : null;

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address is in use, or does not belong to this machine.</exception>
    public Listener Bind(IPEndPoint address) => new(address, _loops);

    /// <summary>Binds and listens on the IPv4 loopback address and, if the machine has one, on the IPv6 loopback address, with the same port.</summary>
    /// <param name="port">The port; 0 to let the system choose.</param>
    /// <exception cref="SocketException">The port is in use on one of the two addresses.</exception>
    public Listener[] BindLoopbacks(int port)
    {
        const int maxTries = 10; // the port that the system chose for one address may be in use on the other
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
            catch (SocketException) when (port == 0 && tries < maxTries)
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
    /// <param name="affinity">The event loop that should serve the connection, if a loop can be chosen; null for no preference.</param>
    /// <param name="cancel">Cancels the attempt.</param>
    /// <exception cref="Win32Exception">The address cannot be reached, or no socket is available. Contains the system's error code.</exception>
    /// <exception cref="IOException">The connection ended at once, or the socket could not be added to epoll.</exception>
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
            socket.Dispose(); // the peer has reset the connection meanwhile: some systems then refuse a stream over the socket
            throw;
        }
    }

    /// <summary>Connects a runtime socket.</summary>
    /// <exception cref="SocketException">The address cannot be reached, or no socket is available.</exception>
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

    /// <summary>A connection over a runtime socket.</summary>
    public static Connection Over(Socket socket, IPAddress? remoteAddress) => Over(socket, new NetworkStream(socket, ownsSocket: true), remoteAddress);

    /// <summary>A connection over a stream that uses a socket, such as TLS.</summary>
    public static Connection Over(Socket socket, Stream stream, IPAddress? remoteAddress) => new(new StreamChannel(socket, stream), remoteAddress);

    /// <summary>A connection over a host program's duplex pipe.</summary>
    public static Connection Over(IDuplexPipe pipe, IPAddress? remoteAddress) => new(new PipeChannel(pipe), remoteAddress);

    /// <summary>Sets the options of every connection's socket: no delayed sends, urgent data inline, keep-alive probes for silent peers.</summary>
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
