using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>An upstream at an address of the test's choice, which answers every request with 200 and its address.</summary>
internal sealed class OtherUpstream : IAsyncDisposable
{
    private readonly bool _isTls;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _accepted = [];
    private readonly TaskCompletionSource<bool> _firstAccepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;

    /// <param name="over">Decides whether it speaks TLS.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="port">0 for one that the system chooses.</param>
    public OtherUpstream(Over over, IPAddress address, int port)
    {
        _isTls = over is Over.Tls;
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

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

    /// <summary>Ends it and every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting.Soon();
        _accepted.ForEach(static one => one.Dispose());
    }

    private async Task AcceptAsync()
    {
        string address = Address.Address.ToString();
        try
        {
            while (true)
            {
                Socket one = await _listener.AcceptAsync();
                lock (_accepted)
                {
                    _accepted.Add(one);
                }

                _firstAccepted.TrySetResult(true);
                _ = ServeAsync(one, Messages.Answer(address));
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, string answer)
    {
        try
        {
            RawPeer peer = _isTls ? RawPeer.Of(socket, await Loopback.SecureAsServerAsync(socket)) : RawPeer.Of(socket);
            while (true)
            {
                await peer.ReadRequestAsync();
                await peer.SendAsync(answer);
            }
        }
        catch (Exception)
        {
            // The connection has ended: what the client got is what the test judges.
        }
    }
}
