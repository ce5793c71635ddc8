using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>Which kept upstream connection a request gets: servers close idle ones, and a POST that is on its way then is lost.</summary>
public sealed class UpstreamKeepAliveTests
{
    /// <summary>Below the 5 s of node and uvicorn, but not by much.</summary>
    private static readonly TimeSpan NearFiveSeconds = TimeSpan.FromSeconds(4.5);

    [Theory, OverEvery]
    public async Task PostGetsAFreshConnectionWhereItsOwnHasBeenIdleForTooLong(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        host.Clock!.Advance(NearFiveSeconds);
        await Expect.FreshUpstreamAsync(host, client, Messages.Post);
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.True(upstream.Ended);
    }

    [Theory, OverEvery]
    public async Task GetMayReuseAConnectionThatHasBeenIdleForLonger(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        host.Clock!.Advance(NearFiveSeconds);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, upstream)).Body);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task PostReusesTheConnectionOfItsClientWhereThatHasBeenUsedLately(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        for (int i = 0; i < 5; i++)
        {
            host.Clock!.Advance(TimeSpan.FromSeconds(3.5));
            Assert.Equal("ok", (await Messages.ExchangeAsync(client, upstream, Messages.Post)).Body);
        }

        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task PostGetsTheConnectionThatAnotherClientHasUsedLately(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer tooOld) = await host.ServeOneAsync();
        host.Clock!.Advance(NearFiveSeconds);
        (RawPeer other, RawPeer lately) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(other);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, lately, Messages.Post)).Body);
        Assert.Equal("", await tooOld.ReadToEndAsync());
        Assert.Equal(2, host.Connects);
    }

    /// <summary>That its client has left makes a connection no younger.</summary>
    [Theory, OverEvery]
    public async Task PostDoesNotGetTheConnectionOfAClientThatHasLeftLatelyButNotUsedItLately(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer other, _) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(3));
        await WireHost.LeaveAsync(other);
        host.Clock.Advance(TimeSpan.FromSeconds(2));
        await host.SendAsync(Messages.Post);
        Assert.Equal(2, host.Connects);
    }

    /// <summary>A connection that a client holds, and one in the pool.</summary>
    [Theory]
    [OverEvery(false)]
    [OverEvery(true)]
    public async Task TimeThatTheUpstreamSaysIsHonouredLessAMargin(Over over, bool isPooled)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await ServeOneAsync(host, "Keep-Alive: timeout=2, max=100");
        if (isPooled)
        {
            await WireHost.LeaveAsync(client);
        }

        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), TimeSpan.FromSeconds(1)));
        await Expect.FreshUpstreamAsync(host, isPooled ? await host.ConnectAsync() : client);
    }

    [Theory, OverEvery]
    public async Task GetDoesNotReuseAConnectionThatTheUpstreamKeepsForLess(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, _) = await ServeOneAsync(host, "Keep-Alive: timeout=5");
        host.Clock!.Advance(NearFiveSeconds);
        await Expect.FreshUpstreamAsync(host, client);
    }

    [Theory, OverEvery]
    public async Task PostReusesAConnectionThatTheUpstreamKeepsForLonger(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await ServeOneAsync(host, "Connection: keep-alive\r\nKeep-Alive: timeout=30");
        host.Clock!.Advance(TimeSpan.FromSeconds(28));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, upstream, Messages.Post)).Body);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task ConnectionThatTheUpstreamSaysItDoesNotKeepIsNotUsedAgain(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, _) = await ServeOneAsync(host, "Keep-Alive: timeout=0");
        await Expect.FreshUpstreamAsync(host, client);
    }

    private static WireHost Host(Over over) => new(over, WireHost.WithLongTimes, new FakeTimeProvider());

    /// <summary>A new client has had an exchange whose answer has these lines too.</summary>
    private static async Task<(RawPeer Client, RawPeer Upstream)> ServeOneAsync(WireHost host, string lines)
    {
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync($"HTTP/1.1 200 OK\r\n{lines}\r\nContent-Length: 2\r\n\r\nok");
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        await host.Reports.NextAsync();
        return (client, upstream);
    }
}
