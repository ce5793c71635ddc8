using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Streams: every event leaves as it comes, in the framing the client understands, and the end of either side ends both.</summary>
public sealed class StreamTests
{
    [Theory, OverEvery]
    public async Task EveryEventIsFlushedAsItComes(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, Messages.StreamHead);
        for (int i = 0; i < 20; i++)
        {
            string chunk = $"a\r\ndata: {i:00}\n\n\r\n";
            await upstream.SendAsync(chunk);
            Assert.Equal(chunk, await client.ReadThroughAsync("\n\n\r\n"));
        }
    }

    [Theory, OverEvery]
    public async Task BodyUntilCloseBecomesChunks(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
        await upstream.SendAsync("hello");
        Assert.Equal("5\r\nhello\r\n", await client.ReadThroughAsync("hello\r\n"));
        await upstream.SendAsync("world");
        upstream.Finish();
        Assert.Equal("5\r\nworld\r\n0\r\n\r\n", await client.ReadThroughAsync("0\r\n\r\n"));
        await client.SendAsync(Messages.Get);
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        await second.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    [Theory, OverEvery]
    public async Task ClientOfVersion10GetsChunksAsBytesUntilTheClose(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Messages.StreamHead);
        await upstream.SendAsync("5;x=y\r\nhello\r\n5\r\nworld\r\n0\r\nTrailer: t\r\n\r\n");
        Assert.Equal("helloworld", await client.ReadToEndAsync());
        Assert.True(client.Ended);
    }

    [Theory, OverEvery]
    public async Task ClientOfVersion10GetsABodyUntilCloseAsItIs(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n");
        await upstream.SendAsync("hello");
        upstream.Finish();
        Assert.Equal("hello", await client.ReadToEndAsync());
        Assert.True(client.Ended);
    }

    [Theory, OverEvery]
    public async Task CutChunksAreNeverEndedForTheClient(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, Messages.StreamHead);
        await upstream.SendAsync("5\r\nhello\r\n");
        await client.ReadThroughAsync("hello\r\n");
        upstream.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.WasReset);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Cut, "upstream-aborted-body"), (report.End, report.Reason));
    }

    [Theory, OverEvery]
    public async Task BadChunkWithinAStreamCutsIt(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, Messages.StreamHead);
        await upstream.SendAsync("5\r\nhello\r\n");
        await client.ReadThroughAsync("hello\r\n");
        await upstream.SendAsync("zz\r\n");
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.WasReset);
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.Cut, (await host.Reports.NextAsync()).End);
    }

    [Theory, OverEvery]
    public async Task ClientThatLeavesASilentStreamEndsTheUpstreamsExchange(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, Messages.StreamHead);
        client.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.ClientGone, (await host.Reports.NextAsync()).End);
    }

    [Theory, OverEvery]
    public async Task ClientThatResetsASilentStreamEndsTheUpstreamsExchange(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await OpenAsync(host, Messages.Get, Messages.StreamHead);
        client.Reset();
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.ClientGone, (await host.Reports.NextAsync()).End);
    }

    private static async Task<(RawPeer Client, RawPeer Upstream)> OpenAsync(WireHost host, string request, string head)
    {
        (RawPeer client, RawPeer upstream) = await host.SendAsync(request);
        await upstream.SendAsync(head);
        await client.ReadThroughAsync("\r\n\r\n");
        return (client, upstream);
    }
}
