using System.IO.Pipelines;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>The limits of <see cref="ProxyLimits"/> that are times, on a clock moved by hand.</summary>
public sealed class TimeLimitTests
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    [Fact]
    public async Task HeaderTimeoutRefusesASlowHead()
    {
        await using WireHost host = Host(Patient with { HeaderTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTT");
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal((408, "close"), (answer.Status, answer.Field("Connection")));
        Assert.Equal("head-too-slow", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), TimeSpan.Zero));
    }

    [Fact]
    public async Task HeaderTimeoutClosesAConnectionThatNeverSends()
    {
        await using WireHost host = Host(Patient with { HeaderTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), Limit));
        Assert.False(host.Reports.HasMore);
    }

    [Fact]
    public async Task IdleTimeoutClosesAConnectionBetweenRequests()
    {
        await using WireHost host = Host(Patient with { IdleTimeout = Limit });
        (RawPeer client, _) = await host.ServeOneAsync();
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), Limit));
        Assert.True(client.Ended);
    }

    [Fact]
    public async Task BodyTimeoutRefusesABodyThatStops()
    {
        await using WireHost host = Host(Patient with { BodyTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await BeginUploadAsync(host);
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal((408, "close"), (answer.Status, answer.Field("Connection")));
        Assert.Equal("body-too-slow", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task MinBodyBytesPerSecondRefusesABodyThatTrickles()
    {
        await using WireHost host = Host(Patient with { BodyTimeout = Limit, MinBodyBytesPerSecond = 1000 });
        (RawPeer client, RawPeer upstream) = await BeginUploadAsync(host);
        Task<StrictMessage> refused = client.ReadResponseAsync();
        while (!refused.IsCompleted)
        {
            host.Clock!.Advance(TimeSpan.FromMilliseconds(100));
            await client.TrySendAsync("1\r\na\r\n");
            if (!await upstream.ReadSomeAsync())
            {
                break;
            }
        }

        Assert.Equal(408, (await refused).Status);
        Assert.Equal("body-too-slow", (await host.Reports.NextAsync()).Reason);
    }

    [Fact]
    public async Task ResponseTimeoutAnswersForASilentUpstream()
    {
        await using WireHost host = Host(Patient with { ResponseTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.PostOf("""{"id":5}"""));
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"id\":5", answer.Body, StringComparison.Ordinal);
        Assert.Equal("upstream-response-timeout", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task ResponseTimeoutNeverCutsAStream()
    {
        await using WireHost host = Host(Patient with { ResponseTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(Messages.StreamHead);
        await client.ReadThroughAsync("\r\n\r\n");
        host.Clock!.Advance(TimeSpan.FromMinutes(30));
        await upstream.SendAsync("2\r\nhi\r\n0\r\n\r\n");
        Assert.Equal("2\r\nhi\r\n0\r\n\r\n", await client.ReadThroughAsync("0\r\n\r\n"));
    }

    [Fact]
    public async Task WriteTimeoutCutsAClientThatDoesNotRead()
    {
        await using WireHost host = Host(Patient with { WriteTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        Task<bool> sending = upstream.TrySendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + new string('a', 1_000_000));
        ReportCopy report = await host.PassUntilAsync(host.Reports.NextAsync(), Limit);
        Assert.Equal((ExchangeEnd.Cut, "client-too-slow"), (report.End, report.Reason));
        await sending;
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
    }

    [Fact]
    public async Task WriteTimeoutCutsAClientThatDoesNotReadInterimResponses()
    {
        await using WireHost host = Host(Patient with { WriteTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        Task<bool> sending = upstream.TrySendAsync(string.Concat(Enumerable.Repeat($"HTTP/1.1 103 Early Hints\r\nLink: {new string('a', 30_000)}\r\n\r\n", 8)));
        ReportCopy report = await host.PassUntilAsync(host.Reports.NextAsync(), Limit);
        Assert.Equal((ExchangeEnd.Cut, "client-too-slow"), (report.End, report.Reason));
        await sending;
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
    }

    [Fact]
    public async Task WriteTimeoutCutsAClientThatDoesNotReadTheProxysOwnAnswer()
    {
        var narrow = new PipeOptions(pauseWriterThreshold: 16, resumeWriterThreshold: 8);
        await using var host = new WireHost(Over.Pipes, options => options with { Limits = Patient with { WriteTimeout = Limit } }, new FakeTimeProvider(), narrow);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("x\r\n\r\n");
        Assert.True(await host.PassUntilAsync(EndAsync(host), Limit));
    }

    /// <summary>The rest of a refused request is read so that the answer is not lost to a reset; not for ever.</summary>
    [Fact]
    public async Task RefusedClientThatGoesOnSendingIsReadForALimitedTime()
    {
        await using WireHost host = Host(Patient);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("x\r\n\r\n");
        Assert.Equal(400, (await client.ReadResponseAsync()).Status);
        Assert.Equal("", await client.ReadToEndAsync());
        await client.SendAsync("more, and no end");
        Assert.True(await host.PassUntilAsync(EndAsync(host), TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task InterimResponsesDoNotStartResponseTimeoutAnew()
    {
        await using WireHost host = Host(Patient with { ResponseTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        for (int half = 0; half < 2; half++)
        {
            // That an interim response came through says that the wait has begun.
            await upstream.SendAsync("HTTP/1.1 102 Processing\r\n\r\n");
            Assert.Equal(102, (await client.ReadResponseAsync()).Status);
            host.Clock!.Advance((Limit / 2) + TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(504, (await client.ReadResponseAsync()).Status);
    }

    [Fact]
    public async Task WriteTimeoutAnswersForAnUpstreamThatDoesNotRead()
    {
        await using WireHost host = Host(Patient with { WriteTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        Task<bool> sending = client.TrySendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n" + new string('a', 1_000_000));
        await host.AcceptAsync();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal(504, answer.Status);
        await host.PassUntilAsync(sending, TimeSpan.Zero);
    }

    [Fact]
    public async Task UpstreamIdleTimeoutClosesAConnectionThatAClientHolds()
    {
        await using WireHost host = Host(Patient with { UpstreamIdleTimeout = Limit });
        (_, RawPeer upstream) = await host.ServeOneAsync();
        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), Limit));
    }

    [Fact]
    public async Task UpstreamIdleTimeoutClosesAConnectionInThePool()
    {
        await using WireHost host = Host(Patient with { UpstreamIdleTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        client.Finish();
        await client.ReadToEndAsync();
        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), Limit));
    }

    [Fact]
    public async Task UpstreamMaxAgeEndsTheUseOfAConnection()
    {
        await using WireHost host = Host(Patient with { UpstreamMaxAge = Limit });
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        host.Clock!.Advance(Limit);
        host.Clock.Advance(Limit);
        await client.SendAsync(Messages.Get);
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task DrainTimeoutAbortsWhatIsLeft()
    {
        var clock = new FakeTimeProvider();
        await using var host = new WireHost(Over.Sockets, options => options with { Limits = Patient with { DrainTimeout = Limit } }, clock);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        host.Stop();
        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), Limit));
        Assert.Equal("", await client.ReadToEndAsync());
        await host.Running.Soon();
    }

    private static ProxyLimits Patient => new()
    {
        HeaderTimeout = Long,
        IdleTimeout = Long,
        BodyTimeout = Long,
        WriteTimeout = Long,
        UpstreamIdleTimeout = Long,
        UpstreamMaxAge = Long,
    };

    private static WireHost Host(ProxyLimits limits) => new(Over.Pipes, options => options with { Limits = limits }, new FakeTimeProvider());

    private static async Task<bool> EndAsync(WireHost host)
    {
        await host.ServedAsync();
        return true;
    }

    private static async Task<(RawPeer Client, RawPeer Upstream)> BeginUploadAsync(WireHost host)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.ChunkedPostHead + "5\r\nhello\r\n");
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("hello\r\n");
        return (client, upstream);
    }
}
