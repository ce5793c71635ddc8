using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using McpProxyFast.Transport;

namespace McpProxyFast.Soak.Storm;

/// <summary>A proxy over one kind of channel, between clients that connect to it and an upstream that it connects to.</summary>
internal sealed class StormHost : IAsyncDisposable
{
    /// <summary>Longer than anybody waits here. What is meant to end by itself does not end by a limit.</summary>
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private readonly Over _over;
    private readonly StormHooks _hooks;
    private readonly Action<RawPeer> _serveUpstream;
    private readonly Socket? _upstreamListener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _served = new();
    private readonly ConcurrentDictionary<string, long> _gauges = new();
    private readonly MeterListener _meter = new();
    private readonly McpProxy _proxy;
    private readonly IPEndPoint? _address;
    private readonly Task _running = Task.CompletedTask;

    /// <param name="over">The kind of channel.</param>
    /// <param name="hooks">The host's hooks.</param>
    /// <param name="serveUpstream">Gets the upstream's end of every connection that the proxy makes.</param>
    public StormHost(Over over, StormHooks hooks, Action<RawPeer> serveUpstream)
    {
        _over = over;
        _hooks = hooks;
        _serveUpstream = serveUpstream;
        if (over.Connects())
        {
            _upstreamListener = Loopback.Bind();
            _upstreamListener.Listen(512);
            _ = AcceptAsync(_upstreamListener);
        }

        CountMeter();
        AppContext.SetSwitch("McpProxyFast.PortableTransport", over is Over.PortableSockets);
        _proxy = new McpProxy(new McpProxyOptions
        {
            Target = new Uri($"{(over is Over.Tls ? "https" : "http")}://{_upstreamListener?.LocalEndPoint!.ToString() ?? "upstream.test"}/"),
            Listen = over.Listens() ? new IPEndPoint(IPAddress.Loopback, 0) : null,
            AllowedHosts = ["*"],
            TrustedCertificates = over is Over.Tls ? [TestCertificate.Local] : null,
            ConnectUpstream = over.Connects() ? null : ConnectUpstreamAsync,
            Observer = hooks,
            Incoming = TokenPolicy.Custom(hooks),
            Outgoing = OutgoingPolicy.From(hooks),
            Limits = new ProxyLimits
            {
                UpstreamIdleTimeout = TimeSpan.FromSeconds(1),
                HeaderTimeout = Never,
                BodyTimeout = Never,
                IdleTimeout = Never,
                DrainTimeout = Never,
                MaxConnections = 1000,
            },
        });
        if (over.Listens())
        {
            _address = _proxy.Bind();
            _running = _proxy.RunAsync(_stopping.Token);
        }
    }

    /// <summary>Open client connections, as the proxy counts them.</summary>
    public long OpenConnections => Gauge("mcpproxyfast.connections");

    /// <summary>The bytes of large buffers that were rented and have not come back, of all proxies. The engine counts no small ones.</summary>
    public static long LargeBufferBytes => Buffers.Budget.Taken;

    /// <summary>No client is connected, and the large buffers have come back.</summary>
    public bool IsEmpty => OpenConnections == 0 && LargeBufferBytes == 0;

    /// <summary>What the proxy did to a host's pipes that their contract does not allow.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>Opens a client connection.</summary>
    public async Task<RawPeer> ConnectAsync()
    {
        if (_over.Listens())
        {
            return RawPeer.Of(await Loopback.ConnectAsync(_address!));
        }

        if (_over.IsInMemory())
        {
            var pair = new PipePair(_over is Over.InlinePipes ? PipePair.Inline : null);
            Serve(pair.EngineEnd);
            return RawPeer.Of(pair.TestEnd);
        }

        (Socket near, Socket far) = await Loopback.PairAsync();
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

    /// <summary>What a signal does, and right behind it a second one. Every connection ends at once.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        _proxy.Abort();
        await _running;
        await Task.WhenAll(_served.Keys);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _upstreamListener?.Dispose();
        _meter.Dispose();
        _stopping.Dispose();
    }

    /// <summary>A host hands a connection over. The only place of the storm that does.</summary>
    private void Serve(IDuplexPipe connection) => Remember(_proxy.ServeAsync(connection, new ClientConnectionInfo { Remote = new IPEndPoint(IPAddress.Loopback, 4711) }, _stopping.Token));

    private void Remember(Task serving)
    {
        _served[serving] = 0;
        _ = serving.ContinueWith(done => _served.TryRemove(done, out _), TaskScheduler.Default);
    }

    private async ValueTask<IDuplexPipe> ConnectUpstreamAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(_hooks.Next(2), cancellationToken);
        _hooks.MayThrow(50);
        if (_over is Over.StreamPipes)
        {
            (Socket near, Socket far) = await Loopback.PairAsync();
            _serveUpstream(RawPeer.Of(near));
            return new HostConnection(far, new NetworkStream(far, ownsSocket: true), Violations);
        }

        var pair = new PipePair(_over is Over.InlinePipes ? PipePair.Inline : null);
        _serveUpstream(RawPeer.Of(pair.TestEnd));
        return pair.EngineEnd;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                _ = SecureAsync(await listener.AcceptAsync());
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The storm is over.
        }
    }

    private async Task SecureAsync(Socket socket)
    {
        try
        {
            _serveUpstream(_over is Over.Tls ? RawPeer.Of(socket, await Loopback.SecureAsServerAsync(socket)) : RawPeer.Of(socket));
        }
        catch (Exception gone) when (gone is IOException or AuthenticationException or ObjectDisposedException or SocketException)
        {
            socket.Dispose(); // the proxy's client left meanwhile
        }
    }

    private void CountMeter()
    {
        _meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "McpProxyFast" && instrument.IsObservable)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meter.SetMeasurementEventCallback<int>((instrument, count, _, _) => _gauges[instrument.Name] = count);
        _meter.SetMeasurementEventCallback<long>((instrument, count, _, _) => _gauges[instrument.Name] = count);
        _meter.Start();
    }

    private long Gauge(string name)
    {
        _meter.RecordObservableInstruments();
        return _gauges.GetValueOrDefault(name);
    }
}
