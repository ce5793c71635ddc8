using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace McpProxyFast.Harness;

/// <summary>Listens at an address of this machine, and gives the test's end of each connection that comes in.</summary>
public sealed class PeerListener : IPeerSource, IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly X509Certificate2? _certificate;
    private readonly List<Socket> _accepted = []; // each is closed with the listener
    private readonly Channel<RawPeer> _peers = Channel.CreateUnbounded<RawPeer>();
    private readonly TaskCompletionSource<bool> _firstAccepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isDisposed;

    /// <param name="address">Where it listens; null for 127.0.0.1.</param>
    /// <param name="port">0 for one that the system chooses.</param>
    /// <param name="certificate">What it shows as a TLS server; null for plain TCP.</param>
    public PeerListener(IPAddress? address = null, int port = 0, X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, port));
        _listener.Listen(512);
        _ = ListenAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public int Port => Address.Port;

    /// <summary>Somebody has connected.</summary>
    public Task<bool> Accepted => _firstAccepted.Task;

    /// <summary>How often somebody has connected.</summary>
    public int Connects
    {
        get
        {
            lock (_accepted)
            {
                return _accepted.Count;
            }
        }
    }

    public Task<RawPeer> AcceptAsync() => _peers.Reader.ReadAsync().Soon();

    /// <summary>Ends it and every connection.</summary>
    public void Dispose()
    {
        _listener.Dispose();
        lock (_accepted)
        {
            _isDisposed = true;
            _accepted.ForEach(static one => one.Dispose());
        }

        _peers.Writer.TryComplete();
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                Socket one = await _listener.AcceptAsync();
                Remember(one);
                _firstAccepted.TrySetResult(true);
                _ = OfferAsync(one);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private void Remember(Socket one)
    {
        lock (_accepted)
        {
            _accepted.Add(one);
            if (_isDisposed)
            {
                one.Dispose();
            }
        }
    }

    private async Task OfferAsync(Socket one)
    {
        try
        {
            RawPeer peer = _certificate is null ? RawPeer.Of(one) : RawPeer.Of(one, await Loopback.SecureAsServerAsync(one, _certificate));
            _peers.Writer.TryWrite(peer);
        }
        catch (Exception gone) when (gone is IOException or SocketException or AuthenticationException or ObjectDisposedException or TimeoutException)
        {
            one.Dispose(); // the client gave the attempt up or refuses the certificate, or the test is over
        }
    }
}
