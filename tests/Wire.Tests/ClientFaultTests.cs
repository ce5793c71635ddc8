using System.Globalization;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>A client that goes away, stage by stage: the upstream's exchange is cancelled at once, and no socket is left behind.</summary>
public sealed class ClientFaultTests
{
    [Theory, OverBoth]
    public async Task ClientThatLeavesWithinItsHeadNeverReachesTheUpstream(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTTP/1.1\r\nHos");
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(0, host.Connects);
        Assert.False(host.Reports.HasMore);
        await ExpectNothingInCloseWaitAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatLeavesWithinItsBodyLeavesNoWholeRequest(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("hello");
        client.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectGoneAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatResetsWithinItsChunksLeavesNoWholeRequest(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.ChunkedPostHead + "5\r\nhello\r\n");
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("hello\r\n");
        client.Reset();
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectGoneAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatHalfClosesWhileItWaitsCancelsTheExchange(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        client.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal("", await client.ReadToEndAsync());
        await ExpectGoneAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatResetsWhileItWaitsCancelsTheExchange(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        client.Reset();
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectGoneAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatLeavesWithinItsAnswerEndsTheUpstreams(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        await client.ReadThroughAsync("hello");
        client.Reset();
        Assert.Equal("", await upstream.ReadToEndAsync());
        ExchangeReport report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.ClientGone, 200), (report.End, report.Status));
        await ExpectNothingInCloseWaitAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatLeavesBetweenRequestsLeavesNothingBehind(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        upstream.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectNothingInCloseWaitAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatConnectsAndLeavesIsNoExchange(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.False(host.Reports.HasMore);
        await ExpectNothingInCloseWaitAsync(host);
    }

    [Theory, OverBoth]
    public async Task ClientThatLeavesDoesNotDisturbAnother(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer staying = await host.ConnectAsync();
        await staying.SendAsync(Messages.Get);
        RawPeer its = await host.AcceptAsync();
        await its.ReadRequestAsync();
        RawPeer leaving = await host.ConnectAsync();
        await leaving.SendAsync(Messages.Get);
        RawPeer other = await host.AcceptAsync();
        await other.ReadRequestAsync();
        leaving.Reset();
        Assert.Equal("", await other.ReadToEndAsync());
        await its.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await staying.ReadResponseAsync()).Body);
    }

    private static async Task ExpectGoneAsync(WireHost host)
    {
        ExchangeReport report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.ClientGone, 0, "client-gone", 1), (report.End, report.Status, report.Reason, report.Attempts));
        await ExpectNothingInCloseWaitAsync(host);
    }

    /// <summary>Looks until the system has no socket of the engine in CLOSE_WAIT: on its own port, or towards the upstream's.</summary>
    private static async Task ExpectNothingInCloseWaitAsync(WireHost host)
    {
        if (host.Address is null || !OperatingSystem.IsLinux())
        {
            return;
        }

        int upstreamPort = int.Parse(host.Authority.Split(':')[1], CultureInfo.InvariantCulture);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (CountInCloseWait(host.Address.Port, upstreamPort) > 0)
        {
            Assert.False(patience.IsCancellationRequested, "A socket lingers in CLOSE_WAIT.");
            await Task.Yield();
        }
    }

    private static int CountInCloseWait(int ownPort, int upstreamPort)
    {
        const string closeWait = "08";
        return File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(words => words[3] == closeWait && (PortOf(words[1]) == ownPort || PortOf(words[2]) == upstreamPort));
    }

    private static int PortOf(string address) => int.Parse(address.AsSpan(address.IndexOf(':') + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
