using System.Net;
using System.Net.Sockets;
using McpProxyFast.Transport.Network;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>How the engine finds and reaches its upstream: names that are slow, fail or change, and addresses of which some are dead.</summary>
public sealed class UpstreamConnectTests
{
    private const string Why = "Hosts connect by themselves.";

    private static readonly IPAddress First = IPAddress.Loopback;
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task TwentyClientsOfASlowResolverShareOneLookUp(Over over)
    {
        const int clients = 20;
        var answer = new TaskCompletionSource<IPAddress[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        await using var host = new WireHost(over, options => Named(options) with
        {
            LookUp = (_, _) =>
            {
                Interlocked.Increment(ref asked);
                return answer.Task;
            },
        });
        AnsweringUpstream.Ok(host);
        RawPeer[] waiting = await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync(Messages.Post);
            return client;
        }));
        answer.SetResult([First]);
        foreach (RawPeer client in waiting)
        {
            Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal((1, clients), (asked, host.Connects));
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task ResolverThatFailsIsNotNoticedOnceItHasAnswered(Over over)
    {
        bool fails = false;
        await using var host = new WireHost(
            over,
            options => Named(options) with
            {
                LookUp = (_, _) => fails
                    ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain))
                    : Task.FromResult<IPAddress[]>([First]),
            },
            new FakeTimeProvider());
        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
        fails = true;
        foreach (TimeSpan age in (TimeSpan[])[TimeSpan.Zero, Resolver.RefreshAfter, Resolver.WaitAfter])
        {
            host.Clock!.Advance(age);
            await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
        }
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task ChangedAddressIsTakenWithinWaitAfter(Over over)
    {
        using PeerListener before = Listen(over, First);
        using PeerListener after = Listen(over, Second, before.Port);
        IPAddress current = First;
        await using var host = new WireHost(
            over, options => Named(options, before.Port) with { LookUp = (_, _) => Task.FromResult<IPAddress[]>([current]) }, new FakeTimeProvider());
        Assert.Equal("127.0.0.1", await AskAsync(host));
        current = Second;
        Assert.Equal("127.0.0.1", await AskAsync(host));
        host.Clock!.Advance(Resolver.WaitAfter);
        Assert.Equal("127.0.0.2", await AskAsync(host));
    }

    /// <summary>As where a server is started anew elsewhere: that the old address fails is reason enough to ask.</summary>
    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task ChangedAddressIsTakenAtOnceWhereTheOldOneRefuses(Over over)
    {
        IPAddress current = First;
        using PeerListener before = Listen(over, First);
        using PeerListener after = Listen(over, Second, before.Port);
        await using var host = new WireHost(
            over, options => Named(options, after.Port) with { LookUp = (_, _) => Task.FromResult<IPAddress[]>([current]) }, new FakeTimeProvider());
        Assert.Equal("127.0.0.1", await AskAsync(host));
        before.Dispose();
        current = Second;
        Assert.Equal("127.0.0.2", await AskAsync(host));
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task AddressThatSwallowsPacketsHoldsTheNextOneUpForItsHeadStartOnlyAndOnlyOnce(Over over)
    {
        using var dead = new FullListener();
        using PeerListener alive = Listen(over, Second, dead.Port);
        await using WireHost host = Host(over, dead.Port);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        await dead.ExpectSomebodyConnectingAsync();
        await host.PassUntilAsync(alive.Accepted, ConnectRace.HeadStart);
        Assert.Equal("127.0.0.2", (await client.ReadResponseAsync()).Body);
        await dead.ExpectNobodyConnectingAsync();

        // The clock stands still: the one that worked last is tried first.
        Assert.Equal("127.0.0.2", await AskAsync(host));
        Assert.Equal(2, alive.Connects);
    }

    [Theory, OverOnly("A handshake belongs to TLS.", Over.Tls)]
    public async Task ServerThatNeverAnswersTheHandshakeHoldsTheNextOneUpForItsHeadStartOnly(Over over)
    {
        using var silent = new TcpListener(First, 0);
        silent.Start();
        int port = ((IPEndPoint)silent.LocalEndpoint).Port;
        using PeerListener alive = Listen(over, Second, port);
        await using WireHost host = Host(over, port);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        using Socket hung = await silent.AcceptSocketAsync().Soon();
        await host.PassUntilAsync(alive.Accepted, ConnectRace.HeadStart);
        Assert.Equal("127.0.0.2", (await client.ReadResponseAsync()).Body);
        await ExpectGivenBackAsync(hung);
        Assert.Equal("127.0.0.2", await AskAsync(host));
        Assert.False(silent.Pending());
    }

    [Theory, LeavingOverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task ClientThatLeavesWhileAddressesAreTriedEndsEveryAttempt(Over over, Leaving leaving)
    {
        using var one = new FullListener();
        using var other = new FullListener(Second, one.Port);
        await using WireHost host = Host(over, one.Port);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await host.PassUntilAsync(one.ExpectConnectingAsync(2), ConnectRace.HeadStart);
        client.Leave(leaving);
        await Expect.ClientGoneAsync(host, attempts: 0);
        await one.ExpectNobodyConnectingAsync();
    }

    [Theory, LeavingOverOnly("A handshake belongs to TLS.", Over.Tls)]
    public async Task ClientThatLeavesWhileHandshakesHangEndsEveryAttempt(Over over, Leaving leaving)
    {
        using var one = new TcpListener(First, 0);
        one.Start();
        using var other = new TcpListener(Second, ((IPEndPoint)one.LocalEndpoint).Port);
        other.Start();
        await using WireHost host = Host(over, ((IPEndPoint)one.LocalEndpoint).Port);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        using Socket first = await one.AcceptSocketAsync().Soon();
        using Socket second = await host.PassUntilAsync(other.AcceptSocketAsync(), ConnectRace.HeadStart);
        client.Leave(leaving);
        await Expect.ClientGoneAsync(host, attempts: 0);
        await ExpectGivenBackAsync(first);
        await ExpectGivenBackAsync(second);
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task ConnectTimeoutBoundsAllAddressesTogether(Over over)
    {
        var limit = TimeSpan.FromSeconds(2);
        using var one = new FullListener();
        using var other = new FullListener(Second, one.Port);
        await using var host = new WireHost(
            over,
            options => Named(options, one.Port) with { LookUp = BothAsync, Limits = new ProxyLimits { ConnectTimeout = limit } },
            new FakeTimeProvider());
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), limit);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"reason\":\"upstream-connect-timeout\"", answer.Body, StringComparison.Ordinal);
        await one.ExpectNobodyConnectingAsync();
    }

    /// <summary>An upstream at an address of the test's choice, which answers every request with 200 and its address.</summary>
    private static PeerListener Listen(Over over, IPAddress address, int port = 0)
    {
        var listener = new PeerListener(address, port, over is Over.Tls ? TestCertificate.Local : null);
        AnsweringUpstream.Start(listener, _ => Messages.Answer($"{address}"));
        return listener;
    }

    private static McpProxyOptions Named(McpProxyOptions options, int? port = null) =>
        options with { Target = new UriBuilder(options.Target) { Host = "localhost", Port = port ?? options.Target.Port }.Uri };

    /// <summary>No limit but the head start is near.</summary>
    private static WireHost Host(Over over, int port) => new(
        over,
        options => Named(options, port) with { LookUp = BothAsync, Limits = new ProxyLimits { ConnectTimeout = TimeSpan.FromHours(1) } },
        new FakeTimeProvider());

    private static Task<IPAddress[]> BothAsync(string name, CancellationToken cancel) => Task.FromResult<IPAddress[]>([First, Second]);

    /// <summary>A new client asks; the upstream's address answers.</summary>
    private static async Task<string> AskAsync(WireHost host)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        return (await client.ReadResponseAsync()).Body;
    }

    private static async Task ExpectGivenBackAsync(Socket socket)
    {
        byte[] buffer = new byte[1024];
        try
        {
            while (await socket.ReceiveAsync(buffer).Soon() > 0)
            {
                // The start of the handshake.
            }
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
    }
}
