using System.Net;
using System.Net.Sockets;
using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Transport.Network;

/// <summary>A bound listening socket that gives connections one by one.</summary>
internal sealed class Listener : IDisposable
{
    private const int Backlog = 4096;

    private readonly Socket _socket;

    /// <summary>Accepts in an event loop; null where the runtime does.</summary>
    private readonly EpollAcceptor? _acceptor;

    /// <summary>No more connections are given.</summary>
    private volatile bool _isDisposed;

    /// <param name="address">Where to listen.</param>
    /// <param name="loops">The event loops; null to leave it to the runtime.</param>
    /// <exception cref="SocketException">The address is in use or not of this machine.</exception>
    public Listener(IPEndPoint address, EventLoops? loops)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily is AddressFamily.InterNetworkV6)
            {
                _socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            }

            NetworkStack.SetOptions(_socket); // on Linux inherited by what is accepted
            _socket.Bind(address);
            _socket.Listen(Backlog);
            if (loops is not null)
            {
                _socket.Blocking = false;
                _acceptor = new EpollAcceptor(_socket, loops);
            }
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The address really bound, with the port that the system chose where 0 was asked for.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Waits for the next connection.</summary>
    /// <returns>Null once the listener is closed.</returns>
    /// <exception cref="IOException">The system has no room for one more now; trying again later may succeed.</exception>
    public ValueTask<Connection?> AcceptAsync() => _acceptor is not null ? _acceptor.AcceptAsync() : AcceptByRuntimeAsync();

    public void Dispose()
    {
        _isDisposed = true;
        _acceptor?.Stop();
        _socket.Dispose();
    }

    private async ValueTask<Connection?> AcceptByRuntimeAsync()
    {
        while (!_isDisposed)
        {
            Socket accepted;
            try
            {
                accepted = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (SocketException fault) when (!_isDisposed && fault.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
            {
                throw new IOException("A connection could not be accepted.", fault);
            }
            catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
            {
                return null; // disposed
            }

            try
            {
                NetworkStack.SetOptions(accepted);
                return NetworkStack.Over(accepted, AddressOf(accepted));
            }
            catch (Exception fault) when (fault is SocketException or IOException)
            {
                accepted.Dispose(); // a client that has gone already: some systems refuse to set its options
            }
        }

        return null;
    }

    private static IPAddress? AddressOf(Socket accepted)
    {
        IPAddress? address = (accepted.RemoteEndPoint as IPEndPoint)?.Address;
        return address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
    }
}
