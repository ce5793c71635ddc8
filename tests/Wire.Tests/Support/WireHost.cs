using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>The whole engine between a test's clients and a test's upstream.</summary>
internal sealed class WireHost : IAsyncDisposable
{
    /// <summary>The address that clients over pipes come from (RFC 5737).</summary>
    public const string ClientAddress = "192.0.2.7";

    private readonly Over _over;
    private readonly Channel<RawPeer> _upstreams = Channel.CreateUnbounded<RawPeer>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TcpListener? _upstreamListener;
    private readonly PipeOptions? _pipeOptions;
    private readonly List<RawPeer> _peers = [];
    private readonly List<Task> _served = [];
    private readonly Task _accepting = Task.CompletedTask;
    private int _refusals;
    private int _connects;

    /// <param name="over">What carries the bytes.</param>
    /// <param name="adjust">Changes the options; null for the plainest: every Host admitted, no X-Forwarded fields.</param>
    /// <param name="clock">A clock moved by hand; null for the system's.</param>
    /// <param name="pipeOptions">For both sides; null for the default.</param>
    /// <param name="upstreamTakes">About so many bytes wait at an upstream socket that does not read; 0 for as many as the system likes.</param>
    /// <param name="credentials">In place of what the options' policy would make; null for that.</param>
    public WireHost(
        Over over,
        Func<McpProxyOptions, McpProxyOptions>? adjust = null,
        FakeTimeProvider? clock = null,
        PipeOptions? pipeOptions = null,
        int upstreamTakes = 0,
        CredentialSource? credentials = null)
    {
        _over = over;
        _pipeOptions = pipeOptions;
        Clock = clock;
        if (over is Over.Sockets)
        {
            _upstreamListener = new TcpListener(IPAddress.Loopback, 0);
            if (upstreamTakes > 0)
            {
                _upstreamListener.Server.ReceiveBufferSize = upstreamTakes;
            }

            _upstreamListener.Start();
            _accepting = AcceptUpstreamsAsync(_upstreamListener);
        }

        Authority = over is Over.Sockets ? _upstreamListener!.LocalEndpoint.ToString()! : "upstream.test:9000";
        var options = new McpProxyOptions
        {
            Target = new Uri($"http://{Authority}"),
            Listen = over is Over.Sockets ? new IPEndPoint(IPAddress.Loopback, 0) : null,
            AllowedHosts = ["*"],
            ForwardedFields = ForwardedFields.Off,
            Observer = Reports,
            Clock = clock ?? TimeProvider.System,
            ConnectUpstream = over is Over.Pipes ? ConnectAsync : null,
        };
        Proxy = new McpProxy(adjust?.Invoke(options) ?? options, credentials);
        Counts = new Counts(Proxy.Meter);
        if (over is Over.Sockets)
        {
            Address = Proxy.Bind();
            Running = Proxy.RunAsync(_stopping.Token);
        }
    }

    public McpProxy Proxy { get; }

    public FakeTimeProvider? Clock { get; }

    public Reports Reports { get; } = new();

    /// <summary>What this proxy's counters say.</summary>
    public Counts Counts { get; }

    /// <summary>The upstream's host and port, as requests name it.</summary>
    public string Authority { get; }

    /// <summary>The upstream's port, over sockets.</summary>
    public int UpstreamPort => ((IPEndPoint)_upstreamListener!.LocalEndpoint).Port;

    /// <summary>Where the engine listens; null over pipes.</summary>
    public IPEndPoint? Address { get; }

    /// <summary>The engine's run over sockets.</summary>
    public Task Running { get; } = Task.CompletedTask;

    /// <summary>How often the engine connected to the upstream.</summary>
    public int Connects => Volatile.Read(ref _connects);

    /// <summary>Lets the next connects over pipes fail as if nobody listened.</summary>
    public void RefuseConnects(int count) => Volatile.Write(ref _refusals, count);

    /// <summary>Starts the drain of every connection.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Opens a client connection.</summary>
    /// <param name="info">Over pipes, what the host says of it; null for a client's address and no more.</param>
    public async Task<RawPeer> ConnectAsync(ClientConnectionInfo? info = null)
    {
        RawPeer client;
        if (_over is Over.Sockets)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(Address!).Soon();
            client = RawPeer.Of(socket);
        }
        else
        {
            var pair = new PipePair(_pipeOptions);
            client = RawPeer.Of(pair.TestEnd);
            info ??= new ClientConnectionInfo { Remote = new IPEndPoint(IPAddress.Parse(ClientAddress), 4711) };
            Task served = Proxy.ServeAsync(pair.EngineEnd, info, _stopping.Token);
            Remember(null, served);
        }

        Remember(client, null);
        return client;
    }

    /// <summary>A new client sends a request.</summary>
    /// <returns>The client, and the upstream's end of the connection on which it arrived whole.</returns>
    public async Task<(RawPeer Client, RawPeer Upstream)> SendAsync(string request)
    {
        RawPeer client = await ConnectAsync();
        await client.SendAsync(request);
        RawPeer upstream = await AcceptAsync();
        await upstream.ReadRequestAsync();
        return (client, upstream);
    }

    /// <summary>A new client has had an exchange; it and the connection to the upstream are idle.</summary>
    public async Task<(RawPeer Client, RawPeer Upstream)> ServeOneAsync()
    {
        (RawPeer client, RawPeer upstream) = await SendAsync(Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await Reports.NextAsync();
        return (client, upstream);
    }

    /// <summary>A new client's answer has begun with <paramref name="response"/>, up to <paramref name="seen"/> as the client sees it.</summary>
    public async Task<(RawPeer Client, RawPeer Upstream)> BeginAnswerAsync(string response, string seen)
    {
        (RawPeer client, RawPeer upstream) = await SendAsync(Messages.Get);
        await upstream.SendAsync(response);
        await client.ReadThroughAsync(seen);
        return (client, upstream);
    }

    /// <summary>Waits for the engine's next connection to the upstream, and gives the upstream's end of it.</summary>
    public Task<RawPeer> AcceptAsync() => _upstreams.Reader.ReadAsync().Soon();

    /// <summary>Moves the clock in heartbeats until something has come of it, and checks that it did not come before its time.</summary>
    /// <remarks>The engine may not have begun its wait when the clock starts to move, which is why only the least time can be told.</remarks>
    public async Task<T> PassUntilAsync<T>(Task<T> outcome, TimeSpan atLeast)
    {
        DateTimeOffset start = Clock!.GetUtcNow();
        while (!outcome.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Assert.True(Clock.GetUtcNow() - start >= atLeast, $"Came after {Clock.GetUtcNow() - start}.");
        return await outcome;
    }

    /// <summary>Waits until every connection that was handed over has been served.</summary>
    public Task ServedAsync() => Task.WhenAll(_served).Soon();

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync().AsTask().Soon();
        foreach (RawPeer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        Counts.Dispose();
        _upstreams.Writer.TryComplete();
        _upstreamListener?.Stop();
        await _accepting.Soon();
        _stopping.Dispose();
    }

    private ValueTask<IDuplexPipe> ConnectAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _connects);
        if (Interlocked.Decrement(ref _refusals) >= 0)
        {
            throw new IOException("Nobody listens.");
        }

        var pair = new PipePair(_pipeOptions);
        Offer(RawPeer.Of(pair.TestEnd));
        return ValueTask.FromResult(pair.EngineEnd);
    }

    private async Task AcceptUpstreamsAsync(TcpListener listener)
    {
        while (true)
        {
            try
            {
                Socket socket = await listener.AcceptSocketAsync();
                Interlocked.Increment(ref _connects);
                Offer(RawPeer.Of(socket));
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
            {
                return; // the test is over
            }
        }
    }

    private void Offer(RawPeer upstream)
    {
        Remember(upstream, null);
        _upstreams.Writer.TryWrite(upstream);
    }

    private void Remember(RawPeer? peer, Task? served)
    {
        lock (_peers)
        {
            if (peer is not null)
            {
                _peers.Add(peer);
            }

            if (served is not null)
            {
                _served.Add(served);
            }
        }
    }
}
