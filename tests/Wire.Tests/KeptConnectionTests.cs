using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>A connection to the upstream between two exchanges: its end, bytes that nobody asked for, and which request may be sent again.</summary>
public sealed class KeptConnectionTests
{
    private const string Head = "HEAD /mcp HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory, LeavingOverOnly("Only the system shows that the end has come.", Over.Sockets, Over.PortableSockets, Over.Tls, Over.HostTls)]
    public async Task EndBetweenRequestsIsNoFaultAndTheNextRequestIsSentOnce(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        upstream.Leave(leaving);
        if (SystemSockets.AreShown)
        {
            await Patience.UntilAsync(
                () => !SystemSockets.Towards(host.UpstreamPort).Any(row => row.State is SystemSockets.State.Established), "The end does not come.");
        }

        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.FreshUpstreamAsync(host, client);
        Assert.Equal(1, (await host.Reports.NextAsync()).Attempts);
        Assert.Empty(host.Counts.Failures);
    }

    /// <summary>Whether it comes with the last bytes of the answer or a moment later is chance, and decides nothing.</summary>
    [Theory]
    [OverEvery(Messages.Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")]
    [OverEvery(Messages.Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")]
    [OverEvery(Messages.Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "\r\n")]
    [OverEvery(Messages.Get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "ok")]
    [OverEvery(Messages.Get, "HTTP/1.1 204 No Content\r\n\r\n", "ok")]
    [OverEvery(Head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok")]
    public async Task WhatComesBehindAnAnswerEndsItsConnectionAndNotTheAnswer(Over over, string request, string answer, string surplus)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(request);
        await upstream.SendAsync(answer + surplus);
        StrictMessage received = await client.ReadResponseAsync(toHead: request == Head);
        Assert.Equal((answer[9..12], answer.Contains("ok", StringComparison.Ordinal) ? "ok" : ""), (received.StartLine[9..12], received.Body));
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        await upstream.ReadToEndAsync();
        await Expect.FreshUpstreamAsync(host, client);
        Assert.Equal(["mcpproxyfast.refusals reason=response-unsolicited rule=RFC 9112 §9.2 side=upstream: 1"], host.Counts.Failures);
    }

    [Theory, OverEvery]
    public async Task SecondAnswerOnAnIdleConnectionIsNobodys(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        await upstream.SendAsync(Messages.Answer("evil"));
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.FreshUpstreamAsync(host, client);
        Assert.Equal(["mcpproxyfast.refusals reason=response-unsolicited rule=RFC 9112 §9.2 side=upstream: 1"], host.Counts.Failures);
    }

    [Theory, OverEvery]
    public async Task SecondAnswerOnAPooledConnectionIsNobodys(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer first, RawPeer upstream) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(first);
        await upstream.SendAsync(Messages.Answer("evil"));
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
    }

    /// <summary>What has come by the time the connection is taken for the next request is seen, even where no event has told of it yet.</summary>
    [Theory]
    [InlineData("close")]
    [InlineData("reset")]
    [InlineData("a second answer")]
    public async Task WhatComesAtTheVeryMomentOfReuseIsSeenBeforeThePostIsSent(string what)
    {
        if (!SystemSockets.AreShown)
        {
            return; // the event loop is Linux's, and so is the view of its sockets; other channels read ahead of who stands
        }

        await using var host = new WireHost(Over.Sockets);
        using (var loop = new StandingLoop(host.Reports))
        {
            (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
            await upstream.SendAsync(Messages.Ok);
            await client.ReadResponseAsync();
            await loop.Stands;
            await client.SendAsync(Messages.Post); // first in the loop's queue
            await EndAsync(upstream, what);
            await Patience.UntilAsync(() => HasCome(host.UpstreamPort, what), $"The {what} does not come.");
            loop.GoOn();

            RawPeer fresh = await host.AcceptAsync();
            Assert.Equal("{}", (await fresh.ReadRequestAsync()).Body);
            await fresh.SendAsync(Messages.Ok);
            Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
            await host.Reports.NextAsync();
            Assert.Equal(1, (await host.Reports.NextAsync()).Attempts);
            Assert.Equal("", await upstream.ReadToEndAsync());
            await Expect.NothingInCloseWaitAsync(host);
        }
    }

    [Theory, OverEvery]
    public async Task PostOnAFreshConnectionIsNeverSentTwice(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        upstream.Reset();
        await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        Assert.Equal(1, host.Connects);
    }

    /// <summary>Systems delay the acknowledgement of what a busy connection brings: by a reset one cannot tell whether the request was read before it.</summary>
    [Theory, EveryLeaving]
    public async Task PostOnAKeptConnectionIsNeverSentTwice(Over over, Leaving leaving)
    {
        const int enoughForDelayedAcknowledgements = 40;
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        for (int i = 0; i < enoughForDelayedAcknowledgements; i++)
        {
            await Messages.ExchangeAsync(client, upstream, Messages.Post);
            await host.Reports.NextAsync();
        }

        await client.SendAsync(Messages.Post);
        await upstream.ReadRequestAsync();
        upstream.Leave(leaving);
        await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        Assert.Equal(1, host.Connects);
        await Expect.FreshUpstreamAsync(host, client);
        Assert.Equal(0, host.Counts.Of("mcpproxyfast.retries"));
    }

    [Theory, EveryLeaving]
    public async Task GetThatMeetsAClosingConnectionIsSentAgain(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        upstream.Leave(leaving);
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        await second.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(2, (await host.Reports.NextAsync()).Attempts);
        Assert.Equal(["mcpproxyfast.retries: 1"], host.Counts.Failures);
        await Expect.NothingInCloseWaitAsync(host);
    }

    [Theory, OverEvery]
    public async Task GetIsSentAgainOnlyOnce(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        upstream.Finish();
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        second.Finish();
        await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 2);
        Assert.Equal(2, host.Connects);
    }

    [Theory, OverEvery]
    public async Task GetWhoseAnswerHadBegunIsNotSentAgain(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        await upstream.SendAsync("HTTP/1.1 200");
        upstream.Finish();
        await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
    }

    [Theory, OverOnly("A listener does not say when a connection is over.", Over.Pipes, Over.InlinePipes, Over.StreamPipes, Over.HostTls)]
    public async Task ConnectionIsHandedToAnotherClientOnceItsOwnHasLeft(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer first, RawPeer upstream) = await host.SendAsync(Messages.GetThenClose);
        await upstream.SendAsync(Messages.Ok);
        await first.ReadResponseAsync();
        await first.ReadToEndAsync();
        await host.ServedAsync();
        RawPeer second = await host.ConnectAsync();
        Assert.Equal("ok", (await Messages.ExchangeAsync(second, upstream)).Body);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task TwoOpenClientsNeverShareAConnection(Over over)
    {
        await using var host = new WireHost(over);
        (_, RawPeer upstream) = await host.ServeOneAsync();
        (RawPeer second, RawPeer other) = await host.SendAsync(Messages.Get);
        Assert.Equal("", upstream.Unread);
    }

    /// <summary>An upstream that answers without reading may hold back any piece of the request, the last one too: the next request never follows half a request.</summary>
    [Theory, OverOnly("It takes an upstream with a small buffer of the system's.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task AnswerBeforeTheRequestWasTakenNeverLetsAnotherFollowHalfOfIt(Over over)
    {
        // What the system's buffers hold lies in between, wherever: about 3 MB here.
        const int least = 1_000_000;
        const int most = 7_000_000;
        const int step = 150_000; // less than the engine reads at once, so that in some round the last piece is what is held back
        const int upstreamTakes = 4 * 1024;
        for (int size = least; size < most; size += step)
        {
            await using var host = new WireHost(over, upstreamTakes: upstreamTakes);
            RawPeer client = await host.ConnectAsync();
            Task<bool> sending = client.TrySendAsync(Messages.PostOf(new string('a', size)));
            RawPeer upstream = await host.AcceptAsync();
            await upstream.ReadThroughAsync("\r\n\r\n");
            await upstream.SendAsync(Messages.Ok);
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
            client.Reset();
            await sending;
            await host.Reports.NextAsync();

            RawPeer second = await host.ConnectAsync();
            await second.SendAsync(Messages.GetOf("/second"));
            Task<RawPeer> fresh = host.AcceptAsync();
            bool isFollowed = await TakesWholeAsync(upstream, size) && await Task.WhenAny(upstream.ReadSomeAsync(), fresh) != fresh && upstream.Unread.Length > 0;
            RawPeer its = isFollowed ? upstream : await fresh;
            Assert.StartsWith("GET /second ", (await its.ReadRequestAsync()).StartLine, StringComparison.Ordinal);
        }
    }

    private static async Task EndAsync(RawPeer upstream, string what)
    {
        switch (what)
        {
            case "close":
                upstream.Finish();
                break;
            case "reset":
                upstream.Reset();
                break;
            default:
                await upstream.SendAsync(Messages.Answer("evil"));
                break;
        }
    }

    private static bool HasCome(int upstreamPort, string what)
    {
        SystemSockets.Row[] engines = [.. SystemSockets.Towards(upstreamPort)];
        return what switch
        {
            "close" => engines.Any(row => row.State is SystemSockets.State.CloseWait),
            "reset" => !engines.Any(row => row.State is SystemSockets.State.Established),
            _ => engines.Any(row => row.Unread > 0),
        };
    }

    private static async Task<bool> TakesWholeAsync(RawPeer upstream, int bodyLength)
    {
        try
        {
            await upstream.ReadExactlyAsync(new byte[bodyLength]);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
