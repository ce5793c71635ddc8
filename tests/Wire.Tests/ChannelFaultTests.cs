using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>What no channel may do to the exchange above it: lose bytes, a slot, an end or a reset, block, or use what it has given back.</summary>
public sealed class ChannelFaultTests
{
    private const string OnlyWithASystem = "Only the system holds bytes, and shows the engine's sockets.";
    private const int UploadBytes = 20 * 1024 * 1024;

    private static McpProxyOptions LargeBodies(McpProxyOptions options) => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = 64L << 20 } };

    /// <summary>The upstream ends before it has read; what the engine still had for it is nobody's, and the client has its answer.</summary>
    [Theory, EveryLeaving]
    public async Task UpstreamThatEndsWithinAnUploadIsA502(Over over, Leaving leaving)
    {
        const int rounds = 10;
        for (int i = 0; i < rounds; i++)
        {
            await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = UploadBytes } });
            RawPeer client = await host.ConnectAsync();
            Task<bool> sending = client.TrySendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {UploadBytes}\r\n\r\n{new string('a', 1_000_000)}");
            RawPeer upstream = await host.AcceptAsync();
            await upstream.ReadThroughAsync("\r\n\r\n");
            upstream.Leave(leaving);
            Task<string> draining = upstream.ReadToEndAsync(); // who ends its own direction may still read
            await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
            await draining;
            client.Reset();
            await sending;
            await Expect.NothingInCloseWaitAsync(host);
        }
    }

    /// <summary>The same with many at once, so that closes meet writes at every moment.</summary>
    [Theory, LeavingOverOnly("Many at once are a listener's.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task UpstreamsThatEndWithinManyUploadsAreA502ForEach(Over over, Leaving leaving)
    {
        const int uploads = 40;
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = UploadBytes } });
        Task ending = EndEachWithinItsUploadAsync(host, uploads, leaving);

        int[] statuses = await Task.WhenAll(Enumerable.Range(0, uploads).Select(async _ =>
        {
            RawPeer client = await host.ConnectAsync();
            Task<bool> sending = client.TrySendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {UploadBytes}\r\n\r\n{new string('a', 1_000_000)}");
            int status = (await client.ReadResponseAsync()).Status;
            client.Reset();
            await sending;
            return status;
        }));

        await ending;
        Assert.All(statuses, static status => Assert.Equal(502, status));
    }

    /// <summary>As above, while the engine's write to it is out, with more behind that.</summary>
    [Theory, LeavingOverOnly(OnlyWithASystem, Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task UpstreamThatEndsWhileItTakesNothingIsA502(Over over, Leaving leaving)
    {
        const int rounds = 5;
        for (int i = 0; SystemSockets.AreShown && i < rounds; i++)
        {
            await using var host = new WireHost(over, LargeBodies, upstreamTakes: 4096);
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {64 << 20}\r\n\r\n");
            RawPeer upstream = await host.AcceptAsync();
            await SystemSockets.SendUntilNothingIsTakenAsync(client, host.Address!.Port, maxPieces: 1600);
            upstream.Leave(leaving);
            await Expect.FaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
            await Expect.NoUpstreamHeldAsync(host);
        }
    }

    /// <summary>A close that wrote what was left would wait for a peer that does not read.</summary>
    [Theory, LeavingOverOnly(OnlyWithASystem, Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task UpstreamThatStopsReadingHoldsNothingOnceItsClientHasLeft(Over over, Leaving leaving)
    {
        if (!SystemSockets.AreShown)
        {
            return;
        }

        await using var host = new WireHost(
            over, options => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = 64L << 20, MaxConnections = 1 } }, upstreamTakes: 4096);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {64 << 20}\r\n\r\n");
        await host.AcceptAsync();
        await SystemSockets.SendUntilNothingIsTakenAsync(client, host.Address!.Port, maxPieces: 1600);
        client.Leave(leaving);
        await Expect.NoUpstreamHeldAsync(host);
        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync()); // in the one slot there is
    }

    /// <summary>The proxy's own answer meets a connection that its client has reset: a close that wrote what was left would throw.</summary>
    [Theory, OverOnly("Slots are those of a listener.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task ClientsThatResetBeforeTheirRefusalGiveTheirSlotsBack(Over over)
    {
        const int rounds = 50;
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxConnections = 2 } });
        for (int i = 0; i < rounds; i++)
        {
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync("x\r\n\r\n");
            client.Reset();
        }

        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
    }

    [Theory, LeavingOverOnly("Slots are those of a listener.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task ClientsThatLeaveGiveTheirSlotsBackAtWhateverStage(Over over, Leaving leaving)
    {
        const int rounds = 60;
        const int moreThanIsHeld = 16 << 20;
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxConnections = 2 } }, clientTakes: 4096);
        for (int i = 0; i < rounds; i++)
        {
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync(Messages.GetOf("/health"));
            await client.ReadResponseAsync();
            Task<bool> sending = Task.FromResult(true);
            if (i % 3 > 0)
            {
                await client.SendAsync(Messages.Get);
                RawPeer upstream = await host.AcceptAsync();
                await upstream.ReadRequestAsync();
                if (i % 3 == 2)
                {
                    sending = upstream.TrySendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {moreThanIsHeld}\r\n\r\n{new string('a', moreThanIsHeld)}");
                    await client.ReadThroughAsync("\r\n\r\n");
                    await SystemSockets.TakesAsync(host.UpstreamPort); // lets the engine come to where nothing more is taken
                }
            }

            client.Leave(leaving);
            await sending;
        }

        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync());
        host.Stop();
        await host.Running.Soon();
    }

    /// <summary>A host's pipe throws on a use after its end, and mixes bytes on a second read: what is out ends first, and after the end nothing is called.</summary>
    [Theory, OverOnly("These pipes tell of it.", Over.StreamPipes, Over.HostTls)]
    public async Task NothingIsDoneToACompletedPipeOfAHost(Over over)
    {
        const int rounds = 30;
        for (int i = 0; i < rounds; i++)
        {
            await using var host = new WireHost(over);
            (RawPeer idle, _) = await host.ServeOneAsync();
            (RawPeer streaming, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
            (RawPeer leaving, _) = await host.SendAsync(Messages.Post);
            Task<bool> sending = upstream.TrySendAsync("5\r\nhello\r\n");
            leaving.Leave((Leaving)(i % 2));
            if (i % 3 == 0)
            {
                host.Stop();
            }

            host.Proxy.Abort();
            await sending;
            await host.ServedAsync();
            Assert.Empty(host.Violations);
            idle.Finish();
            streaming.Finish();
        }
    }

    /// <summary>While it connects the engine waits for two at once: the upstream, and the client's end. What has come of the request stays as it is meanwhile.</summary>
    [Theory, OverEvery]
    public async Task KeptClientThatNeedsANewUpstreamConnectionEachTimeIsAnsweredEachTime(Over over)
    {
        const int requests = 100;
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        for (int i = 0; i < requests; i++)
        {
            string body = $$"""{"id":{{i}},"text":"{{new string('a', i * 40)}}"}""";
            await client.SendAsync(Messages.PostOf(body));
            RawPeer upstream = await host.AcceptAsync();
            StrictMessage request = await upstream.ReadRequestAsync();
            Assert.Equal(body, request.Body);
            await upstream.SendAsync($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            Assert.Equal(body, (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(requests, host.Connects);
        Assert.Empty(host.Counts.Failures);
    }

    /// <summary>The end comes with bytes that are to go on to an upstream which does not read.</summary>
    [Theory, OverOnly(OnlyWithASystem, Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task ResetThatComesWithBytesForAnUpstreamThatDoesNotReadIsNoticedAtOnce(Over over)
    {
        const int rounds = 60;
        byte[] piece = new byte[64 * 1024];
        for (int i = 0; SystemSockets.AreShown && i < rounds; i++)
        {
            await using var host = new WireHost(over, LargeBodies, upstreamTakes: 4096);
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {64 << 20}\r\n\r\n");
            await host.AcceptAsync();
            bool isTaken = true;
            for (int sent = 0; isTaken && sent < i; sent++)
            {
                await client.SendAsync(piece);
                isTaken = await SystemSockets.TakesAsync(host.Address!.Port);
            }

            // As much as the system takes at once, and the reset right behind it.
            Task burst = client.TrySendAsync(new string('a', 4 << 20));
            client.Reset();
            await burst;
            Assert.Equal(ExchangeEnd.ClientGone, (await host.Reports.NextAsync()).End);
        }
    }

    /// <summary>The end of such an answer is the end of its connection: an orderly end would make a cut one look whole.</summary>
    [Theory, EveryLeaving]
    public async Task CutAnswerToAClientOfVersion10EndsInAReset(Over over, Leaving leaving)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync("GET / HTTP/1.0\r\n\r\n");
        await upstream.SendAsync(Messages.StreamHead + "5\r\nhello\r\n");
        await client.ReadThroughAsync("hello");
        upstream.Leave(leaving);
        await Expect.CutAsync(host, client);
    }

    /// <summary>Urgent data is part of the stream of bytes (RFC 6093 §3.1): taken as such, or refused, it never holds up what comes behind it.</summary>
    [Theory, OverOnly("Only plain TCP has urgent data.", Over.Sockets, Over.PortableSockets)]
    public async Task UrgentDataHoldsUpNoRequest(Over over)
    {
        const int rounds = 60;
        await using var host = new WireHost(over);
        AnsweringUpstream.Ok(host);
        for (int i = 0; i < rounds; i++)
        {
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync("GET /mcp HTTP/1.1\r\nHost: h\r\nA: ");
            client.SendUrgent((byte)'b');
            await client.SendAsync("c\r\n\r\n");
            Assert.True((await client.ReadResponseAsync()).Status is 200 or 400);
            client.Reset();
        }
    }

    [Theory, OverOnly("Only plain TCP has urgent data.", Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task UrgentDataHoldsUpNoAnswer(Over over)
    {
        const int rounds = 60;
        await using var host = new WireHost(over);
        for (int i = 0; i < rounds; i++)
        {
            (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
            await upstream.SendAsync("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\na");
            upstream.SendUrgent((byte)'b');
            await upstream.SendAsync("c");
            Assert.Equal("abc", (await client.ReadResponseAsync()).Body);
            client.Reset();
        }
    }

    /// <summary>What the system takes of a long write is progress, though the write has not ended.</summary>
    [Theory, OverOnly(OnlyWithASystem, Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task ClientThatReadsSlowlyButSteadilyIsNotCut(Over over)
    {
        const int bytes = 4 << 20;
        var clock = new FakeTimeProvider();
        var limits = new ProxyLimits { WriteTimeout = TimeSpan.FromSeconds(7), IdleTimeout = TimeSpan.FromHours(24) };
        await using var host = new WireHost(over, options => options with { Limits = limits }, clock, clientTakes: 4096);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        Task sending = upstream.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{new string('a', bytes)}");
        await client.ReadThroughAsync("\r\n\r\n");
        byte[] buffer = new byte[16 * 1024];
        int port = host.Address!.Port;
        for (int left = bytes - client.Unread.Length; left > 0;)
        {
            int length = await client.ReadAsync(buffer);
            Assert.NotEqual(0, length);
            left -= length;

            // A second for each 64 KiB: ten times as fast as the limit, and slower by far than one write of the engine's may be.
            clock.Advance(TimeSpan.FromMilliseconds(length / 64));
            if (SystemSockets.AreShown && left > 0)
            {
                await Patience.UntilAsync(() => SystemSockets.Towards(port).Any(row => row.Unread > 0) || host.Reports.HasMore, "Nothing more comes.");
                if (host.Reports.HasMore)
                {
                    break; // the system has taken the rest, or the client was cut
                }
            }
        }

        await sending;
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
    }

    private static async Task EndEachWithinItsUploadAsync(WireHost host, int count, Leaving leaving)
    {
        for (int i = 0; i < count; i++)
        {
            RawPeer upstream = await host.AcceptAsync();
            await upstream.ReadThroughAsync("\r\n\r\n");
            upstream.Leave(leaving);
        }
    }
}
