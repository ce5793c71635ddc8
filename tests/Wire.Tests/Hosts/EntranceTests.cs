using System.Net;
using System.Net.Sockets;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>What may come in is decided by the way in: the listener, or what the host says in its call. Who came first decides nothing.</summary>
public sealed class EntranceTests
{
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 9000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ListenerAndHandedConnectionsHaveTheirOwnRulesWhicheverCameFirst(bool bindsFirst)
    {
        await using var host = new WireHost(Over.Pipes, options => options with { Listen = new IPEndPoint(IPAddress.Loopback, 0), AllowedHosts = [] });
        AnsweringUpstream.Ok(host);
        RawPeer handed;
        IPEndPoint bound;
        if (bindsFirst)
        {
            bound = host.Proxy.Bind();
            handed = await host.ConnectAsync();
            Assert.Equal(200, await StatusAsync(handed, "any.example"));
        }
        else
        {
            handed = await host.ConnectAsync();
            Assert.Equal(200, await StatusAsync(handed, "any.example"));
            bound = host.Proxy.Bind();
        }

        using var stopping = new CancellationTokenSource();
        Task running = host.Proxy.RunAsync(stopping.Token);
        await using RawPeer accepted = await ConnectAsync(bound);
        Assert.Equal(403, await StatusAsync(accepted, "evil.example"));
        Assert.Equal(403, await StatusAsync(accepted, $"localhost:{bound.Port}", "Origin: http://evil.example\r\n"));
        Assert.Equal(200, await StatusAsync(accepted, $"localhost:{bound.Port}"));
        Assert.Equal(200, await StatusAsync(handed, "any.example", "Origin: http://any.example\r\n"));
        await stopping.CancelAsync();
        await running.Soon();
    }

    [Fact]
    public async Task ConnectionThatWasAcceptedOnLoopbackMayAskForItsNamesOnly()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = [] });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { Local = Loopback });
        Assert.Equal(200, await StatusAsync(client, "localhost:9000"));
        Assert.Equal(200, await StatusAsync(client, "127.0.0.1:9000", "Origin: http://localhost:9000\r\n"));
        Assert.Equal(403, await StatusAsync(client, "localhost:9001"));
        Assert.Equal(403, await StatusAsync(client, "localhost:9000", "Origin: http://evil.example\r\n"));
        RawPeer mapped = await host.ConnectAsync(new ClientConnectionInfo { Local = new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 9000) });
        Assert.Equal(200, await StatusAsync(mapped, "127.0.0.1:9000"));
        Assert.Equal(403, await StatusAsync(mapped, "evil.example"));
    }

    [Fact]
    public async Task ConnectionThatWasAcceptedElsewhereMayAskForEveryName()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = [] });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { Local = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 443) });
        Assert.Equal(200, await StatusAsync(client, "any.example", "Origin: https://any.example\r\n"));
    }

    [Fact]
    public async Task ListsOfACallStandInPlaceOfTheOptionsForThatCallOnly()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = ["a.example"], AllowedOrigins = ["https://a.example"] });
        AnsweringUpstream.Ok(host);
        RawPeer other = await host.ConnectAsync(new ClientConnectionInfo { AllowedHosts = ["b.example"], AllowedOrigins = ["https://b.example"] });
        RawPeer usual = await host.ConnectAsync();
        Assert.Equal(200, await StatusAsync(other, "b.example", "Origin: https://b.example\r\n"));
        Assert.Equal(403, await StatusAsync(other, "a.example"));
        Assert.Equal(403, await StatusAsync(other, "b.example", "Origin: https://a.example\r\n"));
        Assert.Equal(200, await StatusAsync(usual, "a.example", "Origin: https://a.example\r\n"));
        Assert.Equal(403, await StatusAsync(usual, "b.example"));
    }

    [Fact]
    public async Task EmptyListsOfACallStandInPlaceOfTheOptions()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = ["a.example"], AllowedOrigins = ["https://a.example"] });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { AllowedHosts = [], AllowedOrigins = [], Local = Loopback });
        Assert.Equal(403, await StatusAsync(client, "a.example"));
        Assert.Equal(200, await StatusAsync(client, "localhost:9000", "Origin: http://localhost:9000\r\n"));
    }

    [Fact]
    public async Task AHostWithManyListenersHasEachOnesRule()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = [] });
        AnsweringUpstream.Ok(host);
        for (int round = 0; round < 2; round++)
        {
            for (int port = 9000; port < 9020; port++)
            {
                RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { Local = new IPEndPoint(IPAddress.Loopback, port) });
                Assert.Equal(200, await StatusAsync(client, $"localhost:{port}"));
                Assert.Equal(403, await StatusAsync(client, $"localhost:{port + 1}"));
            }
        }
    }

    [Theory]
    [InlineData(true, "https")]
    [InlineData(false, "http")]
    public async Task UpstreamIsToldTheSchemeThatTheHostNames(bool isTls, string scheme)
    {
        await using var host = new WireHost(Over.Pipes, options => options with { ForwardedFields = ForwardedFields.Set });
        RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { IsTls = isTls });
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        Assert.Equal(scheme, (await upstream.ReadRequestAsync()).Field("X-Forwarded-Proto"));
        await upstream.SendAsync($"HTTP/1.1 302 Found\r\nLocation: http://{host.Authority}/elsewhere\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal($"{scheme}://h/elsewhere", (await client.ReadResponseAsync()).Field("Location"));
    }

    [Theory]
    [InlineData(true, "https")]
    [InlineData(false, "http")]
    public async Task ChallengeAndMetadataNameTheSchemeThatTheHostNames(bool isTls, string scheme)
    {
        await using var host = new WireHost(Over.Pipes, options => options with { Incoming = TokenPolicy.Custom(new ScriptedValidator()) });
        RawPeer client = await host.ConnectAsync(new ClientConnectionInfo { IsTls = isTls });
        await client.SendAsync(Messages.Get);
        StrictMessage challenged = await client.ReadResponseAsync();
        Assert.Contains($"resource_metadata=\"{scheme}://h/.well-known/oauth-protected-resource/mcp\"", challenged.Field("WWW-Authenticate"), StringComparison.Ordinal);
        await client.SendAsync(Messages.GetOf("/.well-known/oauth-protected-resource/mcp"));
        Assert.Contains($"\"resource\":\"{scheme}://h/mcp\"", (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
    }

    private static async Task<int> StatusAsync(RawPeer client, string host, string fields = "")
    {
        await client.SendAsync($"GET /mcp HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
        return (await client.ReadResponseAsync()).Status;
    }

    private static async Task<RawPeer> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        return RawPeer.Of(socket);
    }
}
