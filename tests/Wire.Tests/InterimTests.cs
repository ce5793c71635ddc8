using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>1xx and <c>Expect: 100-continue</c>, RFC 9110 §10.1.1 and §15.2; answers that come before the request is whole.</summary>
public sealed class InterimTests
{
    [Theory, OverEvery]
    public async Task ClientThatWaitsForA100GetsTheUpstreams(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.ExpectingPostHead);
        RawPeer upstream = await host.AcceptAsync();
        Assert.Contains("Expect: 100-continue\r\n", await upstream.ReadThroughAsync("\r\n\r\n"), StringComparison.Ordinal);
        await upstream.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        Assert.Equal(100, (await client.ReadResponseAsync()).Status);
        await client.SendAsync("hello");
        Assert.Equal("hello", await upstream.ReadThroughAsync("hello"));
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, upstream)).Body);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task FinalAnswerInPlaceOfA100IsForwardedAndBothConnectionsEnd(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ExpectingPostHead, "\r\n\r\n");
        await upstream.SendAsync("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(401, answer.Status);
        Assert.Equal("close", answer.Field("Connection"));
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Theory, OverEvery]
    public async Task AnswerBeforeTheBodysEndIsForwardedAndTheUpstreamSeesNoWholeRequest(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginUploadAsync();
        await upstream.SendAsync("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        Assert.Equal(413, (await client.ReadResponseAsync()).Status);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await client.TrySendAsync("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task BothBodiesFlowAtTheSameTime(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ChunkedPostHead, "\r\n\r\n");
        await upstream.SendAsync(Messages.StreamHead);
        await client.ReadThroughAsync("\r\n\r\n");
        for (int i = 0; i < 10; i++)
        {
            await client.SendAsync($"2\r\nq{i}\r\n");
            await upstream.ReadThroughAsync($"2\r\nq{i}\r\n");
            await upstream.SendAsync($"2\r\na{i}\r\n");
            await client.ReadThroughAsync($"2\r\na{i}\r\n");
        }

        await client.SendAsync("0\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await upstream.ReadThroughAsync("0\r\n\r\n"));
        await upstream.SendAsync("0\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await client.ReadThroughAsync("0\r\n\r\n"));
        Assert.Equal(200, (await host.Reports.NextAsync()).Status);
    }
}
