using System.Net;
using System.Net.Sockets;
using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Transport.Network;

/// <summary>A listening socket that is bound to an address and returns connections one by one.</summary>
internal sealed class Listener : IDisposable
{
    private const int Backlog = 4096;

    private readonly Socket _socket;

    /// <summary>Accepts in an event loop; null if the runtime's socket accepts.</summary>
    private readonly EpollAcceptor? _acceptor;

    /// <summary><see cref="Dispose"/> was called: no more connections are returned.</summary>
    private volatile bool _isDisposed;

    /// <param name="address">The address to listen on.</param>
    /// <param name="loops">The event loops; null to use the runtime's sockets instead.</param>
    /// <exception cref="SocketException">The address is in use, or does not belong to this machine.</exception>
    public Listener(IPEndPoint address, EventLoops? loops)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily is AddressFamily.InterNetworkV6)
            {
                _socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            }

            NetworkStack.SetOptions(_socket); // accepted sockets inherit these on Linux
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

    /// <summary>The address that is bound. If port 0 was requested, it has the port that the system chose.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Waits for the next connection.</summary>
    /// <returns>The connection; null once the listener is closed.</returns>
    /// <exception cref="IOException">The system has no resources for another connection now; a later try may succeed.</exception>
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
                accepted.Dispose(); // the client is already gone: some systems then refuse to set options
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
