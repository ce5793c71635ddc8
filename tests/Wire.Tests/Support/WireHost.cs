using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading.Channels;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>The whole engine between a test's clients and a test's upstream.</summary>
internal sealed class WireHost : IPeerSource, IAsyncDisposable
{
    /// <summary>The address that a host says its clients come from (RFC 5737).</summary>
    private const string HostsClientAddress = "192.0.2.7";

    /// <summary>How often the engine looks at its limits.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    private readonly Over _over;
    private readonly Channel<RawPeer> _upstreams = Channel.CreateUnbounded<RawPeer>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket? _upstreamListener;
    private readonly PipeOptions? _pipeOptions;
    private readonly int _clientTakes;
    private readonly List<RawPeer> _peers = [];
    private readonly List<Task> _served = [];
    private Task _accepting = Task.CompletedTask;
    private volatile bool _listens;
    private int _connects;

    /// <param name="over">What carries the bytes.</param>
    /// <param name="adjust">Changes the options; null for the plainest: every Host admitted, no X-Forwarded fields.</param>
    /// <param name="clock">A clock moved by hand; null for the system's.</param>
    /// <param name="pipeOptions">For both sides, over in-memory pipes; null for those of <paramref name="over"/>.</param>
    /// <param name="upstreamTakes">About so many bytes wait at an upstream socket that does not read; 0 for as many as the system likes.</param>
    /// <param name="credentials">In place of what the options' policy would make; null for that.</param>
    /// <param name="clientTakes">The same for a client.</param>
    /// <param name="listens">The upstream is there; else connecting to it fails until <see cref="Listen"/>.</param>
    public WireHost(
        Over over,
        Func<McpProxyOptions, McpProxyOptions>? adjust = null,
        FakeTimeProvider? clock = null,
        PipeOptions? pipeOptions = null,
        int upstreamTakes = 0,
        int clientTakes = 0,
        bool listens = true,
        UpstreamCredentials? credentials = null)
    {
        _over = over;
        _pipeOptions = pipeOptions ?? (over is Over.InlinePipes ? PipePair.Inline : null);
        _clientTakes = clientTakes;
        Clock = clock;
        _upstreamListener = over.Connects() ? Loopback.Bind(upstreamTakes) : null;
        if (listens)
        {
            Listen();
        }

        Authority = _upstreamListener?.LocalEndPoint!.ToString() ?? "upstream.test:9000";
        var options = new McpProxyOptions
        {
            Target = new Uri($"{TargetScheme(over)}://{Authority}"),
            Listen = over.Listens() ? new IPEndPoint(IPAddress.Loopback, 0) : null,
            AllowedHosts = ["*"],
            ForwardedFields = ForwardedFields.Off,
            Observer = Reports,
            Clock = clock ?? TimeProvider.System,
            ConnectUpstream = over.Connects() ? null : ConnectUpstreamAsync,
            TrustedCertificates = over is Over.Tls ? [TestCertificate.Local] : null,
        };
        options = over is Over.PortableSockets ? options with { PortableTransport = true } : options;
        Proxy = new McpProxy(adjust?.Invoke(options) ?? options, credentials);
        Counts = new Counts(Proxy.Meter);
        if (over.Listens())
        {
            Address = Proxy.Bind();
            Running = Proxy.RunAsync(_stopping.Token);
        }
    }

    /// <summary>The address that clients come from.</summary>
    public static string ClientAddress(Over over) => over.Listens() ? "127.0.0.1" : HostsClientAddress;

    /// <summary>The scheme of the target.</summary>
    public static string TargetScheme(Over over) => over is Over.Tls ? "https" : "http";

    public McpProxy Proxy { get; }

    public FakeTimeProvider? Clock { get; }

    public Reports Reports { get; } = new();

    /// <summary>What this proxy's counters say.</summary>
    public Counts Counts { get; }

    /// <summary>The upstream's host and port, as requests name it.</summary>
    public string Authority { get; }

    /// <summary>The upstream's port, where the engine connects by itself.</summary>
    public int UpstreamPort => ((IPEndPoint)_upstreamListener!.LocalEndPoint!).Port;

    /// <summary>What the engine did to a host's stream pipes that the contract of pipes does not allow.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>Where the engine listens; null where it does not.</summary>
    public IPEndPoint? Address { get; }

    /// <summary>The engine's run, where it listens.</summary>
    public Task Running { get; } = Task.CompletedTask;

    /// <summary>How often the engine connected to the upstream.</summary>
    public int Connects => Volatile.Read(ref _connects);

    /// <summary>The upstream is there from now on.</summary>
    public void Listen()
    {
        _listens = true;
        if (_upstreamListener is not null)
        {
            _upstreamListener.Listen(512);
            _accepting = AcceptUpstreamsAsync(_upstreamListener);
        }
    }

    /// <summary>Starts the drain of every connection.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Opens a client connection.</summary>
    /// <param name="info">Over pipes, what the host says of it; null for a client's address and no more.</param>
    public async Task<RawPeer> ConnectAsync(ClientConnectionInfo? info = null)
    {
        RawPeer client;
        if (_over.Listens())
        {
            client = RawPeer.Of(await Loopback.ConnectAsync(Address!, _clientTakes));
        }
        else if (_over.IsInMemory())
        {
            var pair = new PipePair(_pipeOptions);
            client = RawPeer.Of(pair.TestEnd);
            Serve(pair.EngineEnd, info);
        }
        else
        {
            (Socket near, Socket far) = await Loopback.PairAsync(_clientTakes);
            client = await HandOverAsync(near, far);
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

    /// <summary>A new client sends a part of a request.</summary>
    /// <returns>The client, and the upstream's end of the connection on which the part arrived up to <paramref name="seen"/>.</returns>
    public async Task<(RawPeer Client, RawPeer Upstream)> BeginRequestAsync(string part, string seen)
    {
        RawPeer client = await ConnectAsync();
        await client.SendAsync(part);
        RawPeer upstream = await AcceptAsync();
        await upstream.ReadThroughAsync(seen);
        return (client, upstream);
    }

    /// <summary>A new client has begun an upload: its first chunk, <c>hello</c>, has arrived.</summary>
    public Task<(RawPeer Client, RawPeer Upstream)> BeginUploadAsync() => BeginRequestAsync(Messages.ChunkedPostHead + "5\r\nhello\r\n", "hello\r\n");

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
    /// <remarks>
    /// The engine may not have begun its wait when the clock starts to move, which is why only the least time can be told. Once that is over the clock goes
    /// slowly: what is still awaited takes real time only, and no other limit is to be met meanwhile.
    /// </remarks>
    public async Task<T> PassUntilAsync<T>(Task<T> outcome, TimeSpan atLeast)
    {
        DateTimeOffset start = Clock!.GetUtcNow();
        while (!outcome.IsCompleted && Clock.GetUtcNow() - start < atLeast)
        {
            Clock.Advance(Beat);
            await Task.Yield();
        }

        await Patience.NudgeUntilEndedAsync(outcome, () => Clock.Advance(Beat));
        Assert.True(Clock.GetUtcNow() - start >= atLeast, $"Came after {Clock.GetUtcNow() - start}.");
        return await outcome;
    }

    /// <summary>Limits that are times and concern idle connections are out of a test's reach.</summary>
    public static McpProxyOptions WithLongTimes(McpProxyOptions options)
    {
        var hour = TimeSpan.FromHours(1);
        return options with { Limits = new ProxyLimits { IdleTimeout = hour, HeaderTimeout = hour, UpstreamIdleTimeout = hour, UpstreamMaxAge = hour } };
    }

    /// <summary>A client leaves. Afterwards the engine has put its upstream connection into the pool.</summary>
    public static async Task LeaveAsync(RawPeer client)
    {
        client.Finish();
        await client.ReadToEndAsync();
    }

    /// <summary>Waits until every connection that was handed over has been served.</summary>
    public Task ServedAsync() => Task.WhenAll(_served).Soon();

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync().AsTask().Soon();
        RawPeer[] peers;
        lock (_peers)
        {
            peers = [.. _peers]; // an upstream's connection may still come in
        }

        foreach (RawPeer peer in peers)
        {
            await peer.DisposeAsync();
        }

        Counts.Dispose();
        _upstreams.Writer.TryComplete();
        _upstreamListener?.Dispose();
        await _accepting.Soon();
        _stopping.Dispose();
    }

    /// <summary>A host hands a connection over. The only place of this suite that does.</summary>
    private void Serve(IDuplexPipe connection, ClientConnectionInfo? info = null)
    {
        info ??= new ClientConnectionInfo { Remote = new IPEndPoint(IPAddress.Parse(HostsClientAddress), 4711) };
        Remember(null, Proxy.ServeAsync(connection, info, _stopping.Token));
    }

    private async Task<RawPeer> HandOverAsync(Socket near, Socket far)
    {
        if (_over is Over.StreamPipes)
        {
            Serve(new HostConnection(far, new NetworkStream(far, ownsSocket: true), Violations));
            return RawPeer.Of(near);
        }

        Task<SslStream> securing = Loopback.SecureAsServerAsync(far);
        SslStream client = await Loopback.SecureAsClientAsync(near);
        Serve(new HostConnection(far, await securing, Violations));
        return RawPeer.Of(near, client);
    }

    private async ValueTask<IDuplexPipe> ConnectUpstreamAsync(CancellationToken cancellationToken)
    {
        if (!_listens)
        {
            throw new IOException("Nobody listens.");
        }

        Interlocked.Increment(ref _connects);
        if (_over is Over.StreamPipes)
        {
            (Socket near, Socket far) = await Loopback.PairAsync();
            Offer(RawPeer.Of(near));
            return new HostConnection(far, new NetworkStream(far, ownsSocket: true), Violations);
        }

        var pair = new PipePair(_pipeOptions);
        Offer(RawPeer.Of(pair.TestEnd));
        return pair.EngineEnd;
    }

    private async Task AcceptUpstreamsAsync(Socket listener)
    {
        while (true)
        {
            try
            {
                Socket socket = await listener.AcceptAsync();
                Interlocked.Increment(ref _connects);
                if (_over is Over.Tls)
                {
                    _ = SecureAsync(socket);
                }
                else
                {
                    Offer(RawPeer.Of(socket));
                }
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
            {
                return; // the test is over
            }
        }
    }

    private async Task SecureAsync(Socket socket)
    {
        try
        {
            Offer(RawPeer.Of(socket, await Loopback.SecureAsServerAsync(socket)));
        }
        catch (Exception gone) when (gone is IOException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            socket.Dispose(); // the engine gave the attempt up, or the test is over
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
