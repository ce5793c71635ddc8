using System.Net;
using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>A listening socket on an <see cref="EventLoop"/>, which hands each connection on.</summary>
internal sealed class Acceptor : IPolled, IDisposable
{
    private const int Backlog = 4096;

    private readonly Socket _listener;
    private readonly Action<Socket> _accepted;

    private Acceptor(Socket listener, Action<Socket> accepted)
    {
        _listener = listener;
        _accepted = accepted;
    }

    /// <summary>Listens on loopback.</summary>
    public static Acceptor Listen(EventLoop loop, int port, Action<Socket> accepted)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(Backlog);
        var acceptor = new Acceptor(listener, accepted);
        loop.Add(listener, acceptor);
        return acceptor;
    }

    public void Dispose() => _listener.Dispose();

    // One for each time it is reported ready: a further try that finds none would cost an exception.
    public void OnReadable()
    {
        try
        {
            _accepted(_listener.Accept());
        }
        catch (SocketException)
        {
            // The subject gave the connection up before it was accepted; the next one is reported anew.
        }
    }

    public void OnWritable()
    {
    }
}
