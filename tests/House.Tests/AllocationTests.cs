using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.House.Tests;

/// <summary>A warm connection carries an exchange without one managed allocation.</summary>
/// <remarks>Client and upstream are raw and synchronous, with buffers made beforehand, so that nobody but the engine could allocate.</remarks>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTests
{
    private static long s_counted;

    private static readonly byte[] Request =
    [
        .. "POST /mcp HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\nAuthorization: Bearer abc.def.ghi\r\nContent-Length: 40\r\n\r\n"u8, .. new byte[40],
    ];
    private static readonly byte[] Response = [.. "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"u8, .. new byte[200]];

    private static readonly Uri Nowhere = new("http://127.0.0.1:9"); // replaced by the upstream's own
    private static readonly byte[] StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray();
    private static readonly byte[] Event = "28\r\nevent: message\ndata: {\"jsonrpc\":\"2.0\"}\n\n\r\n"u8.ToArray();

    [OptimisedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ExchangeOverSocketsAllocatesNothing(bool isCounted)
    {
        using MeterListener? counting = isCounted ? Count() : null;
        await ExpectSocketsToAllocateNothing(new McpProxyOptions { Target = Nowhere });
        Assert.True(!isCounted || Interlocked.Read(ref s_counted) > AllocationMeter.Measured);
    }

    [OptimisedFact]
    public Task ExchangeWhoseTokenIsKnownAllocatesNothing() => ExpectSocketsToAllocateNothing(
        new McpProxyOptions { Target = Nowhere, Incoming = TokenPolicy.Custom(new AdmitsAll()) });

    [OptimisedFact]
    public async Task ExchangeThatAnObserverIsToldOfAllocatesNothing()
    {
        var observer = new ReadsAll();
        await ExpectSocketsToAllocateNothing(new McpProxyOptions { Target = Nowhere, Observer = observer });
        Assert.True(observer.Reports > AllocationMeter.Measured && observer.Bytes > 0);
    }

    public static TheoryData<OutgoingPolicy> Credentials => [OutgoingPolicy.Bearer("token"), OutgoingPolicy.From(new TokenOfAnHour()), new OAuthPolicy()];

    [OptimisedTheory]
    [MemberData(nameof(Credentials), DisableDiscoveryEnumeration = true)]
    public Task ExchangeThatATokenIsAddedToAllocatesNothing(OutgoingPolicy outgoing) => ExpectSocketsToAllocateNothing(
        new McpProxyOptions { Target = Nowhere, Outgoing = outgoing });

    [OptimisedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ExchangeThatAnExchangedTokenIsAddedToAllocatesNothing(bool isProtected)
    {
        await using var tokens = new TokenServer();
        await ExpectSocketsToAllocateNothing(new McpProxyOptions
        {
            Target = Nowhere,
            Incoming = isProtected ? TokenPolicy.Custom(new AdmitsAll()) : null,
            Outgoing = new TokenExchangePolicy(tokens.Url),
        });
    }

    [OptimisedFact]
    public Task ExchangeThatFieldsAreAddedToAllocatesNothing() => ExpectSocketsToAllocateNothing(new McpProxyOptions
    {
        Target = Nowhere,
        AddedFields = [AddedField.Of("X-Tenant", "acme"), AddedField.Of("Accept", "text/plain"), AddedField.Of("Authorization", "Basic YTpi")],
    });

    [OptimisedFact]
    public async Task EventsOfAStreamAllocateNothing()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using McpProxy proxy = AllocationMeter.Listen(new McpProxyOptions { Target = Nowhere }, listener);
        using Socket client = AllocationMeter.Connect(proxy);
        client.Send(Request);
        using Socket upstream = listener.AcceptSocket();
        upstream.NoDelay = true;
        byte[] buffer = new byte[4096];
        upstream.Receive(buffer);
        upstream.Send(StreamHead);
        client.Receive(buffer);
        AllocationMeter.ExpectNothing(() =>
        {
            upstream.Send(Event);
            AllocationMeter.ReceiveAll(client, buffer, Event.Length);
        });
    }

    private static async Task ExpectSocketsToAllocateNothing(McpProxyOptions options)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using McpProxy proxy = AllocationMeter.Listen(options, listener);
        using Socket client = AllocationMeter.Connect(proxy);
        client.Send(Request);
        using Socket upstream = listener.AcceptSocket();
        upstream.NoDelay = true;
        byte[] buffer = new byte[4096];
        int sent = upstream.Receive(buffer);
        upstream.Send(Response);
        int received = client.Receive(buffer);
        AllocationMeter.ExpectNothing(() =>
        {
            client.Send(Request);
            AllocationMeter.ReceiveAll(upstream, buffer, sent);
            upstream.Send(Response);
            AllocationMeter.ReceiveAll(client, buffer, received);
        });
    }

    [OptimisedFact]
    public async Task ExchangeOverAHostsPipesAllocatesNothing()
    {
        await using var pipes = new InlinePipes(options => options);
        AllocationMeter.ExpectNothing(() =>
        {
            pipes.ClientSends(Request);
            pipes.UpstreamReceives();
            pipes.UpstreamSends(Response);
            pipes.ClientReceives();
        });
    }

    /// <summary>Listens to every counter of every proxy.</summary>
    private static MeterListener Count()
    {
        var counting = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "McpProxyFast")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        counting.SetMeasurementEventCallback<long>(static (_, _, _, _) => Interlocked.Increment(ref s_counted));
        counting.Start();
        return counting;
    }

    private sealed class ReadsAll : IProxyObserver
    {
        private long _reports;
        private long _bytes;

        public long Reports => Interlocked.Read(ref _reports);

        public long Bytes => Interlocked.Read(ref _bytes);

        public void OnExchangeEnded(in ExchangeReport report)
        {
            Interlocked.Increment(ref _reports);
            Interlocked.Add(ref _bytes, report.Method.Length + report.Path.Length + report.Query.Length + report.McpMethod.Length + report.McpName.Length);
        }
    }

    private sealed class TokenOfAnHour : ICredentialSource
    {
        public ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken) =>
            new(new OutgoingCredential("Bearer token", DateTimeOffset.UtcNow.AddHours(1)));
    }
}
