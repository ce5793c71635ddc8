using System.Net;
using System.Net.Sockets;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>What the client, the connections, the observer and the counters see when the upstream fails, stage by stage.</summary>
public sealed class UpstreamFaultTests
{
    private const string CutLength = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

    [Theory, OverEvery]
    public async Task RefusedConnectionIsA502AndTheNextRequestTriesAgain(Over over)
    {
        await using var host = new WireHost(over, listens: false);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await Expect.FaultAsync(host, client, 502, "upstream-unreachable", attempts: 0);
        host.Listen();
        await Expect.FreshUpstreamAsync(host, client);
    }

    [Theory, OverOnly("Hosts connect by themselves, and this target is plain.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task PortNobodyListensOnIsA502(Over over)
    {
        using Socket unused = Loopback.Bind();
        var target = new Uri($"http://{unused.LocalEndPoint}");
        await using var host = new WireHost(over, options => options with { Target = target });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await Expect.FaultAsync(host, client, 502, "upstream-unreachable", attempts: 0);
    }

    [Theory, OverOnly("Hosts connect by themselves; TLS comes after the accept.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task UpstreamThatDoesNotAcceptIsA504AfterConnectTimeout(Over over)
    {
        using var full = new FullListener();
        await using var host = new WireHost(
            over, options => options with { Target = full.Target, Limits = new ProxyLimits { ConnectTimeout = TimeSpan.FromMilliseconds(50) } });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await Expect.FaultAsync(host, client, 504, "upstream-connect-timeout", attempts: 0);
        await full.ExpectNobodyConnectingAsync();
    }

    [Theory, OverOnly("Hosts connect by themselves; the certificate has another name.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task NameThatIsNotFoundIsA502UntilItIsFound(Over over)
    {
        bool isKnown = false;
        await using var host = new WireHost(over, options => options with
        {
            Target = new UriBuilder(options.Target) { Host = "upstream.test" }.Uri,
            LookUp = (name, _) => isKnown && name == "upstream.test"
                ? Task.FromResult<IPAddress[]>([IPAddress.Loopback])
                : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)),
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await Expect.FaultAsync(host, client, 502, "upstream-name-unresolved", attempts: 0);
        isKnown = true;
        await Expect.FreshUpstreamAsync(host, client);
    }

    [Theory, OverOnly("Hosts connect by themselves; the certificate has another name.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task AddressThatRefusesLeavesTheNextOneItsTurn(Over over)
    {
        await using var host = new WireHost(over, options => options with
        {
            Target = new UriBuilder(options.Target) { Host = "upstream.test" }.Uri,
            LookUp = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]),
        });
        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
    }

    [Theory, OverOnly("Hosts connect by themselves.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task LookUpThatHangsIsA504WithAReasonOfItsOwnAfterConnectTimeout(Over over)
    {
        await using var host = new WireHost(over, options => options with
        {
            Target = new Uri("http://upstream.test"),
            LookUp = (_, _) => new TaskCompletionSource<IPAddress[]>().Task,
            Limits = new ProxyLimits { ConnectTimeout = TimeSpan.FromMilliseconds(50) },
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await Expect.FaultAsync(host, client, 504, "upstream-name-timeout", attempts: 0);
    }

    [Theory, EveryLeaving]
    public Task EndBeforeTheHeadIsA502(Over over, Leaving leaving) => ExpectClosedEarlyAsync(over, "", leaving);

    [Theory, EveryLeaving]
    public Task EndWithinTheHeadIsA502(Over over, Leaving leaving) => ExpectClosedEarlyAsync(over, "HTTP/1.1 200 OK\r\nContent-Le", leaving);

    [Theory, EveryLeaving]
    public Task EndBehindAnInterimResponseIsA502(Over over, Leaving leaving) => ExpectClosedEarlyAsync(over, "HTTP/1.1 102 Processing\r\n\r\n", leaving);

    [Theory, EveryLeaving]
    public Task EndWithinADeclaredLengthCutsTheAnswer(Over over, Leaving leaving) => ExpectCutAsync(over, CutLength, "hello", leaving);

    [Theory, EveryLeaving]
    public Task EndWithinChunksCutsTheAnswer(Over over, Leaving leaving) => ExpectCutAsync(over, Messages.StreamHead + "5\r\nhello\r\n", "hello\r\n", leaving);

    [Theory, OverEvery]
    public Task ResetOfABodyUntilCloseCutsTheAnswer(Over over) => ExpectCutAsync(over, "HTTP/1.1 200 OK\r\n\r\nhello", "hello\r\n", Leaving.Reset);

    /// <summary>Anybody on the way can end the bytes; only the upstream can say in TLS that it has sent all (RFC 9112 §9.8).</summary>
    [Theory, OverOnly("Elsewhere the engine does not speak TLS.", Over.Tls)]
    public async Task EndBelowTlsCutsABodyUntilClose(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync("HTTP/1.1 200 OK\r\n\r\nhello", "hello\r\n");
        upstream.FinishBelow();
        await Expect.CutAsync(host, client);
    }

    /// <summary>Whichever is told of the reset, the writing of the request or the reading of the answer.</summary>
    [Theory, OverEvery]
    public async Task ResetOfABodyUntilCloseCutsTheAnswerAlsoWhileTheRequestIsBeingSent(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nbegun", "begun");
        await upstream.SendAsync("HTTP/1.1 200 OK\r\n\r\nhello");
        await client.ReadThroughAsync("hello\r\n");
        Task<bool> sending = client.TrySendAsync(new string('a', 95));
        upstream.Reset();
        await Expect.CutAsync(host, client);
        await sending.Soon();
    }

    [Theory, OverEvery]
    public async Task HalfCloseBehindAWholeAnswerIsNoFault(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        upstream.Finish();
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.FreshUpstreamAsync(host, client);
        Assert.Empty(host.Counts.Failures);
    }

    private static async Task ExpectClosedEarlyAsync(Over over, string sent, Leaving leaving)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("POST /mcp HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"); // to whom no interim response is relayed
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(sent);
        upstream.Leave(leaving);
        await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        await Expect.FreshUpstreamAsync(host, client);
    }

    private static async Task ExpectCutAsync(Over over, string answer, string seen, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(answer, seen);
        upstream.Leave(leaving);
        await Expect.CutAsync(host, client);
    }
}
