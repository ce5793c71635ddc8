using System.IO.Pipelines;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>The limits of <see cref="ProxyLimits"/> that are times, on a clock moved by hand.</summary>
public sealed class TimeLimitTests
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    /// <summary>More than the systems' buffers hold between two peers of which one does not read.</summary>
    private const int MoreThanIsHeld = 24 * 1024 * 1024;

    /// <summary>So that a peer that does not read is soon noticed.</summary>
    private const int SmallSocketBytes = 4 * 1024;

    [Theory, OverOnly("The head has to be there before the clock moves.", Over.InlinePipes)]
    public async Task HeaderTimeoutRefusesASlowHead(Over over)
    {
        await using WireHost host = Host(over, Patient with { HeaderTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTT");
        await ExpectSlowHeadAsync(host, client);
    }

    [Theory, OverEvery]
    public async Task HeaderTimeoutRefusesASlowHeadBehindARequest(Over over)
    {
        await using WireHost host = Host(over, Patient with { HeaderTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get + "GET /mcp HTT");
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        await host.Reports.NextAsync();
        await ExpectSlowHeadAsync(host, client);
    }

    private static async Task ExpectSlowHeadAsync(WireHost host, RawPeer client)
    {
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal((408, "close"), (answer.Status, answer.Field("Connection")));
        Assert.Equal("head-too-slow", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), TimeSpan.Zero));
    }

    [Theory, OverEvery]
    public async Task HeaderTimeoutClosesAConnectionThatNeverSends(Over over)
    {
        await using WireHost host = Host(over, Patient with { HeaderTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), Limit));
        Assert.False(host.Reports.HasMore);
    }

    [Theory, OverEvery]
    public async Task IdleTimeoutClosesAConnectionBetweenRequests(Over over)
    {
        await using WireHost host = Host(over, Patient with { IdleTimeout = Limit });
        (RawPeer client, _) = await host.ServeOneAsync();
        Assert.Equal("", await host.PassUntilAsync(client.ReadToEndAsync(), Limit));
        Assert.True(client.Ended);
    }

    [Theory, OverEvery]
    public async Task BodyTimeoutRefusesABodyThatStops(Over over)
    {
        await using WireHost host = Host(over, Patient with { BodyTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.BeginUploadAsync();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal((408, "close"), (answer.Status, answer.Field("Connection")));
        Assert.Equal("body-too-slow", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Theory, OverEvery]
    public async Task MinBodyBytesPerSecondRefusesABodyThatTrickles(Over over)
    {
        await using WireHost host = Host(over, Patient with { BodyTimeout = Limit, MinBodyBytesPerSecond = 1000 });
        (RawPeer client, RawPeer upstream) = await host.BeginUploadAsync();
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

    [Theory, OverEvery]
    public async Task ResponseTimeoutAnswersForASilentUpstream(Over over)
    {
        await using WireHost host = Host(over, Patient with { ResponseTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.PostOf("""{"id":5}"""));
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"id\":5", answer.Body, StringComparison.Ordinal);
        Assert.Equal("upstream-response-timeout", (await host.Reports.NextAsync()).Reason);
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Theory, OverEvery]
    public async Task ResponseTimeoutNeverCutsAStream(Over over)
    {
        await using WireHost host = Host(over, Patient with { ResponseTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        host.Clock!.Advance(TimeSpan.FromMinutes(30));
        await upstream.SendAsync("2\r\nhi\r\n0\r\n\r\n");
        Assert.Equal("2\r\nhi\r\n0\r\n\r\n", await client.ReadThroughAsync("0\r\n\r\n"));
    }

    [Theory, OverEvery]
    public async Task WriteTimeoutCutsAClientThatDoesNotRead(Over over)
    {
        await using WireHost host = Host(over, Patient with { WriteTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        Task<bool> sending = upstream.TrySendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {2 * MoreThanIsHeld}\r\n\r\n" + new string('a', MoreThanIsHeld));
        ReportedExchange report = await host.PassUntilAsync(host.Reports.NextAsync(), Limit);
        Assert.Equal((ExchangeEnd.Cut, "client-too-slow"), (report.End, report.Reason));
        await sending;
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
    }

    [Theory, OverEvery]
    public async Task WriteTimeoutCutsAClientThatDoesNotReadInterimResponses(Over over)
    {
        await using WireHost host = Host(over, Patient with { WriteTimeout = Limit, MaxInterimResponses = 1000 });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        Task<bool> sending = upstream.TrySendAsync(string.Concat(Enumerable.Repeat(
            $"HTTP/1.1 103 Early Hints\r\nLink: {new string('a', 30_000)}\r\n\r\n", MoreThanIsHeld / 30_000)));
        ReportedExchange report = await host.PassUntilAsync(host.Reports.NextAsync(), Limit);
        Assert.Equal((ExchangeEnd.Cut, "client-too-slow"), (report.End, report.Reason));
        await sending;
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
    }

    [Theory, OverOnly("So short an answer always fits a system's buffer.", Over.Pipes, Over.InlinePipes)]
    public async Task WriteTimeoutCutsAClientThatDoesNotReadTheProxysOwnAnswer(Over over)
    {
        await using WireHost host = NarrowHost(over, Patient with { WriteTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("x\r\n\r\n");
        Assert.True(await host.PassUntilAsync(EndAsync(host), Limit));
        await client.ReadToEndAsync();
        Assert.True(client.WasReset); // what it has is not whole
    }

    /// <summary>The exchange has been cut once, for its upstream: that its client does not read either must still end it.</summary>
    [Theory, OverOnly("So short an answer always fits a system's buffer.", Over.Pipes, Over.InlinePipes)]
    public async Task WriteTimeoutCutsAClientThatDoesNotReadThatItsUpstreamWasSilent(Over over)
    {
        await using WireHost host = NarrowHost(over, Patient with { WriteTimeout = Limit, ResponseTimeout = Limit });
        RawPeer client = await host.ConnectAsync();
        Task sending = client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await sending;
        Assert.True(await host.PassUntilAsync(EndAsync(host), Limit + Limit));
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
    }

    /// <summary>The rest of a refused request is read so that the answer is not lost to a reset; not for ever.</summary>
    [Theory, OverOnly("A listener does not say when a connection is over.", Over.Pipes, Over.InlinePipes, Over.StreamPipes, Over.HostTls)]
    public async Task RefusedClientThatGoesOnSendingIsReadForALimitedTime(Over over)
    {
        await using WireHost host = Host(over, Patient);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("x\r\n\r\n");
        Assert.Equal(400, (await client.ReadResponseAsync()).Status);
        Assert.Equal("", await client.ReadToEndAsync());
        await client.SendAsync("more, and no end");
        Assert.True(await host.PassUntilAsync(EndAsync(host), TimeSpan.FromSeconds(1)));
    }

    [Theory, OverEvery]
    public async Task InterimResponsesDoNotStartResponseTimeoutAnew(Over over)
    {
        await using WireHost host = Host(over, Patient with { ResponseTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        for (int half = 0; half < 2; half++)
        {
            // That an interim response came through says that the wait has begun.
            await upstream.SendAsync("HTTP/1.1 102 Processing\r\n\r\n");
            Assert.Equal(102, (await client.ReadResponseAsync()).Status);
            host.Clock!.Advance((Limit / 2) + TimeSpan.FromMilliseconds(200));
        }

        // Where the engine was not back at its wait when the time was over, the next beat ends it. The clock goes so slowly that a wait that had begun anew
        // with the second interim response would be seen to be longer.
        DateTimeOffset due = host.Clock!.GetUtcNow();
        Task<StrictMessage> answer = client.ReadResponseAsync();
        await Patience.UntilAsync(() =>
        {
            host.Clock.Advance(TimeSpan.FromMilliseconds(1));
            return answer.IsCompleted;
        });
        Assert.InRange(host.Clock.GetUtcNow() - due, TimeSpan.Zero, Limit / 4);
        Assert.Equal(504, (await answer).Status);
    }

    [Theory, OverEvery]
    public async Task WriteTimeoutAnswersForAnUpstreamThatDoesNotRead(Over over)
    {
        await using WireHost host = Host(over, Patient with { WriteTimeout = Limit, MaxRequestBodyBytes = 4 * MoreThanIsHeld });
        RawPeer client = await host.ConnectAsync();
        Task<bool> sending = client.TrySendAsync(
            $"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {2 * MoreThanIsHeld}\r\n\r\n" + new string('a', MoreThanIsHeld));
        await host.AcceptAsync();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), Limit);
        Assert.Equal(504, answer.Status);
        await host.PassUntilAsync(sending, TimeSpan.Zero);
    }

    [Theory, OverEvery]
    public async Task UpstreamIdleTimeoutClosesAConnectionThatAClientHolds(Over over)
    {
        await using WireHost host = Host(over, Patient with { UpstreamIdleTimeout = Limit });
        (_, RawPeer upstream) = await host.ServeOneAsync();
        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), Limit));
    }

    [Theory, OverEvery]
    public async Task UpstreamIdleTimeoutClosesAConnectionInThePool(Over over)
    {
        await using WireHost host = Host(over, Patient with { UpstreamIdleTimeout = Limit });
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        client.Finish();
        await client.ReadToEndAsync();
        Assert.Equal("", await host.PassUntilAsync(upstream.ReadToEndAsync(), Limit));
    }

    [Theory, OverEvery]
    public async Task UpstreamMaxAgeEndsTheUseOfAConnection(Over over)
    {
        await using WireHost host = Host(over, Patient with { UpstreamMaxAge = Limit });
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        host.Clock!.Advance(Limit);
        host.Clock.Advance(Limit);
        await client.SendAsync(Messages.Get);
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Theory, OverOnly("The run of a listener is what waits.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task DrainTimeoutAbortsWhatIsLeft(Over over)
    {
        var clock = new FakeTimeProvider();
        await using var host = new WireHost(over, options => options with { Limits = Patient with { DrainTimeout = Limit } }, clock);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
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

    private static WireHost Host(Over over, ProxyLimits limits) => new(
        over, options => options with { Limits = limits }, new FakeTimeProvider(), upstreamTakes: SmallSocketBytes, clientTakes: SmallSocketBytes);

    /// <summary>Over pipes that hold less than any answer.</summary>
    private static WireHost NarrowHost(Over over, ProxyLimits limits)
    {
        PipeScheduler? scheduler = over is Over.InlinePipes ? PipeScheduler.Inline : null;
        var narrow = new PipeOptions(
            readerScheduler: scheduler, writerScheduler: scheduler, pauseWriterThreshold: 16, resumeWriterThreshold: 8, useSynchronizationContext: false);
        return new WireHost(over, options => options with { Limits = limits }, new FakeTimeProvider(), narrow);
    }

    private static async Task<bool> EndAsync(WireHost host)
    {
        await host.ServedAsync();
        return true;
    }
}
