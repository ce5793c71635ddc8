using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>Plays a script over TCP. When something happens is the system's to say; what must hold, holds for any timing.</summary>
/// <param name="clock">The proxy's.</param>
/// <param name="address">Where the proxy listens.</param>
/// <param name="listener">Where its upstream does.</param>
/// <param name="openConnections">How many client connections the proxy says are open.</param>
internal sealed class SocketRun(FakeTimeProvider clock, IPEndPoint address, Socket listener, Func<long> openConnections) : ExchangeRun(clock), IDisposable
{
    /// <summary>So long nothing is to happen before the next step of a script.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(0.5);

    private readonly List<SocketPeer> _upstreams = [];
    private SocketPeer? _client;

    public override ScriptedPeer Client => _client!;

    public override IReadOnlyList<ScriptedPeer> Upstreams => _upstreams;

    protected override bool IsOver => openConnections() == 0;

    public void Dispose()
    {
        _client?.Dispose();
        _upstreams.ForEach(upstream => upstream.Dispose());
    }

    protected override void Begin()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(address);
        _client = new SocketPeer(socket);
        Patience.Until(() => openConnections() > 0);
    }

    protected override void Settle()
    {
        var readable = new List<Socket>();
        do
        {
            base.Settle();
            readable.Clear();
            readable.Add(listener);
            readable.AddRange(_upstreams.Append(_client!).Where(peer => peer is { IsOpen: true, ProxyEnded: false }).Select(peer => peer.Socket));
            Socket.Select(readable, null, null, Quiet);
            if (readable.Remove(listener))
            {
                Accept();
                readable.Add(listener);
            }
        }
        while (readable.Count > 0);
    }

    protected override bool PassTimeUntil(Func<bool> done)
    {
        return base.PassTimeUntil(IsDone) || Patience.Until(IsDone);

        bool IsDone()
        {
            Settle();
            return done();
        }
    }

    private void Accept()
    {
        Socket socket = listener.Accept();
        if (RefusesNext)
        {
            // As near as a listening socket comes to refusing.
            RefusesNext = false;
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
            return;
        }

        _upstreams.Add(new SocketPeer(socket));
    }
}
