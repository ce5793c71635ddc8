using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>A client that goes away, stage by stage: the upstream's exchange is cancelled at once, and no socket is left behind.</summary>
public sealed class ClientFaultTests
{
    [Theory, EveryLeaving]
    public async Task ClientThatConnectsAndLeavesIsNoExchange(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        client.Leave(leaving);
        await ExpectNoExchangeAsync(host, client);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesWithinItsHeadNeverReachesTheUpstream(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTTP/1.1\r\nHos");
        client.Leave(leaving);
        await ExpectNoExchangeAsync(host, client);
        Assert.Equal(0, host.Connects);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesWithinADeclaredLengthLeavesNoWholeRequest(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello", "hello");
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesWithinItsChunksLeavesNoWholeRequest(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginUploadAsync();
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host);
    }

    /// <summary>The proxy waits for the upstream to take what it has; the client's end lies behind bytes that nobody reads.</summary>
    [Theory, LeavingOverOnly("Only the system shows that nothing is taken.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task ClientThatLeavesWhileTheUpstreamTakesNothingIsNoticed(Over over, Leaving leaving)
    {
        if (!SystemSockets.AreShown)
        {
            return;
        }

        const int upstreamTakes = 4 * 1024;
        await using var host = new WireHost(over, upstreamTakes: upstreamTakes);
        (RawPeer client, _) = await host.ServeOneAsync();
        await client.SendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n");
        await SystemSockets.SendUntilNothingIsTakenAsync(client, host.Address!.Port);
        client.Leave(leaving);
        await Expect.ClientGoneAsync(host);
    }

    [Theory, OverOnly("Where the engine connects by itself, FullListener shows the same.", Over.Pipes, Over.InlinePipes, Over.StreamPipes)]
    public async Task ClientThatLeavesWhileTheUpstreamIsConnectedToCancelsTheAttempt(Over over)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(over, options => options with
        {
            ConnectUpstream = async cancel =>
            {
                begun.SetResult();
                await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancelled.SetResult();
                cancel.ThrowIfCancellationRequested();
                throw new InvalidOperationException("The delay has no end but its cancellation.");
            },
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await begun.Task.Soon();
        client.Finish();
        await cancelled.Task.Soon();
        await Expect.ClientGoneAsync(host, attempts: 0);
    }

    [Theory, LeavingOverOnly("Hosts connect by themselves; TLS comes after the accept.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task ClientThatLeavesWhileTheUpstreamDoesNotAcceptEndsTheAttempt(Over over, Leaving leaving)
    {
        using var full = new FullListener();
        await using var host = new WireHost(over, options => options with { Target = full.Target });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await full.ExpectSomebodyConnectingAsync();
        client.Leave(leaving);
        await Expect.ClientGoneAsync(host, attempts: 0);
        await full.ExpectNobodyConnectingAsync();
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesWhileItWaitsCancelsTheExchange(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal("", await client.ReadToEndAsync());
        await Expect.ClientGoneAsync(host);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesBehindAnInterimResponseCancelsTheExchange(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync("HTTP/1.1 102 Processing\r\n\r\n", "\r\n\r\n");
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesWithinItsAnswerEndsTheUpstreams(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "hello");
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host, status: 200);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesASilentStreamEndsTheUpstreams(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host, status: 200);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesASilentStreamBehindItsNextRequestEndsTheUpstreams(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        await client.SendAsync(Messages.Get);
        client.Leave(leaving);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await Expect.ClientGoneAsync(host, status: 200);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesAStreamItDoesNotReadEndsTheUpstreams(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        Task sending = SendUntilCutAsync(upstream);
        client.Leave(leaving);
        await sending;
        await Expect.ClientGoneAsync(host, status: 200);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesBetweenRequestsLeavesNothingBehind(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        client.Leave(leaving);
        Assert.Equal("", await client.ReadToEndAsync());
        upstream.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Empty(host.Counts.Failures);
        await Expect.NothingInCloseWaitAsync(host);
    }

    [Theory, EveryLeaving]
    public async Task ClientThatLeavesDoesNotDisturbAnother(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer staying, RawPeer its) = await host.SendAsync(Messages.Get);
        (RawPeer leaver, RawPeer other) = await host.SendAsync(Messages.Get);
        leaver.Leave(leaving);
        Assert.Equal("", await other.ReadToEndAsync());
        await its.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await staying.ReadResponseAsync()).Body);
    }

    /// <summary>One that vanishes with its network sends neither a FIN nor a reset: only asking finds out.</summary>
    [Theory, OverOnly("A host's sockets are its own.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task SystemAsksSilentPeersOnBothSidesWhetherTheyAreStillThere(Over over)
    {
        if (!SystemSockets.AreShown)
        {
            return;
        }

        await using var host = new WireHost(over);
        await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        await Patience.UntilAsync(
            () => SystemSockets.From(host.Address!.Port).Any(row => row.State is SystemSockets.State.Established && row.AsksPeer), "The client is not asked.");
        await Patience.UntilAsync(
            () => SystemSockets.Towards(host.UpstreamPort).Any(row => row.State is SystemSockets.State.Established && row.AsksPeer), "The upstream is not asked.");
    }

    private static async Task ExpectNoExchangeAsync(WireHost host, RawPeer client)
    {
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.False(host.Reports.HasMore);
        Assert.Empty(host.Counts.Failures);
        await Expect.NothingInCloseWaitAsync(host);
    }

    private static async Task SendUntilCutAsync(RawPeer upstream)
    {
        string chunk = $"4000\r\n{new string('a', 0x4000)}\r\n";
        while (await upstream.TrySendAsync(chunk))
        {
            // The client has gone, and what it was to read is nobody's.
        }
    }
}
