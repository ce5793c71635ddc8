using System.Net;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>A proxy whose target is, by whatever way, the proxy itself: refused at start where it can be told, else seen with the first request.</summary>
public sealed class LoopTests
{
    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:9000")]
    [InlineData("127.0.0.1", "http://localhost:9000/mcp")]
    [InlineData("127.0.0.1", "http://LOCALHOST.:9000")]
    [InlineData("127.0.0.1", "http://mcp.localhost:9000")]
    [InlineData("127.0.0.1", "http://2130706433:9000")]
    [InlineData("127.0.0.1", "http://0.0.0.0:9000")]
    [InlineData("127.0.0.1", "http://[::ffff:127.0.0.1]:9000")]
    [InlineData("127.0.0.2", "http://127.0.0.2:9000")]
    [InlineData("::1", "http://[::1]:9000")]
    [InlineData("::1", "http://localhost:9000")]
    [InlineData("0.0.0.0", "http://localhost:9000")]
    [InlineData("0.0.0.0", "https://127.0.0.7:9000")]
    [InlineData("::", "http://127.0.0.1:9000")]
    [InlineData("::", "http://[::1]:9000")]
    public void OwnAddressAsTheTargetIsRefusedAtStart(string listen, string target)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Make(listen, target));
        Assert.Equal(nameof(McpProxyOptions.Target), refused.ParamName);
        Assert.Contains("where the proxy itself would listen", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:9001")]
    [InlineData("127.0.0.1", "http://127.0.0.2:9000")]
    [InlineData("127.0.0.1", "http://[::1]:9000")]
    [InlineData("0.0.0.0", "http://[::1]:9000")]
    [InlineData("0.0.0.0", "http://mcp.example:9000")]
    [InlineData("0.0.0.0", "http://192.0.2.1:9000")]
    public async Task AnotherAddressIsNot(string listen, string target) => await Make(listen, target).DisposeAsync();

    [Fact]
    public void AddressOfThisMachineIsRefusedWhereTheProxyListensOnAll()
    {
        foreach (IPAddress address in Dns.GetHostAddresses(Dns.GetHostName()).Where(one => ScopeOf(one) == 0))
        {
            Assert.Throws<ArgumentException>(() => Make("::", $"http://{new IPEndPoint(address, 9000)}"));
        }
    }

    [Theory, OverOnly("A target is connected to by the engine.", Over.Sockets, Over.PortableSockets)]
    public async Task RingOfTwoIsAnswered508(Over over)
    {
        await using var first = new WireHost(over);
        await using var second = new WireHost(over, options => options with { Target = new Uri($"http://{first.Address}") });
        RawPeer client = await second.ConnectAsync();
        await client.SendAsync(Messages.Post);
        RawPeer upstream = await first.AcceptAsync();
        StrictMessage request = await upstream.ReadRequestAsync();
        Assert.Equal(2, request.All("McpProxyFast-Hop").Distinct().Count());

        RawPeer again = await second.ConnectAsync(); // as the first's target would, were it the second
        await again.SendAsync($"{request.Head}\r\n{request.Body}");
        Assert.Equal(508, (await again.ReadResponseAsync()).Status);
        ReportedExchange report = await second.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Refused, "loop-detected"), (report.End, report.Reason));
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    [Theory, OverEvery]
    public async Task MarkOfAnotherProxyPasses(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTTP/1.1\r\nHost: h\r\nMcpProxyFast-Hop: 0123456789abcdef\r\n\r\n");
        RawPeer upstream = await host.AcceptAsync();
        Assert.Contains("0123456789abcdef", (await upstream.ReadRequestAsync()).All("McpProxyFast-Hop"));
    }

    private static McpProxy Make(string listen, string target) => new(new McpProxyOptions
    {
        Listen = new IPEndPoint(IPAddress.Parse(listen), 9000),
        Target = new Uri(target),
    });

    private static long ScopeOf(IPAddress address) =>
        address.AddressFamily is System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
