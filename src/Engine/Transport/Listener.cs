using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Transport;

/// <summary>A bound listening socket that gives connections one by one.</summary>
internal abstract class Listener : IDisposable
{
    private const int Backlog = 4096;

    protected Listener(IPEndPoint address)
    {
        Socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily is AddressFamily.InterNetworkV6)
            {
                Socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            }

            KeepAlive.TurnOn(Socket);
            Socket.Bind(address);
            Socket.Listen(Backlog);
        }
        catch
        {
            Socket.Dispose();
            throw;
        }
    }

    /// <summary>The address really bound, with the port that the system chose where 0 was asked for.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)Socket.LocalEndPoint!;

    protected Socket Socket { get; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address is in use or not of this machine.</exception>
    public static Listener Bind(IPEndPoint address, EventLoops? loops) => loops is null ? new SocketListener(address) : new EpollListener(address, loops);

    /// <summary>Waits for the next connection.</summary>
    /// <returns>Null once the listener is closed.</returns>
    /// <exception cref="IOException">The system has no room for one more now; trying again later may succeed.</exception>
    public abstract ValueTask<Connection?> AcceptAsync();

    public abstract void Dispose();

    /// <summary>The listener of every system without an event loop of ours.</summary>
    private sealed class SocketListener(IPEndPoint address) : Listener(address)
    {
        public override async ValueTask<Connection?> AcceptAsync()
        {
            try
            {
                return PipeConnection.Over(await Socket.AcceptAsync().ConfigureAwait(false));
            }
            catch (SocketException fault) when (fault.SocketErrorCode is SocketError.OperationAborted or SocketError.Interrupted)
            {
                return null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException fault)
            {
                throw new IOException("A connection could not be accepted.", fault);
            }
        }

        public override void Dispose() => Socket.Dispose();
    }
}
