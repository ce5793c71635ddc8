using System.Collections.Concurrent;
using System.Globalization;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>Nothing of one exchange, or of one wait, reaches the next.</summary>
public sealed class ServingFaultTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    [Theory, OverEvery]
    public async Task LocationNamesTheHostOfItsOwnRequestNotOfOneThatFailedBefore(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(
            "POST /mcp HTTP/1.1\r\nHost: first.example\r\nContent-Length: 10\r\n\r\nhello", "hello");
        await client.SendAsync("world");
        await upstream.ReadThroughAsync("world");
        upstream.Finish();
        Assert.Equal(502, (await client.ReadResponseAsync()).Status);

        await client.SendAsync("GET /mcp HTTP/1.1\r\nHost: second.example\r\n\r\n");
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        await second.SendAsync($"HTTP/1.1 302 Found\r\nLocation: {WireHost.TargetScheme(over)}://{host.Authority}/new\r\nContent-Length: 0\r\n\r\n");
        Assert.EndsWith("://second.example/new", (await client.ReadResponseAsync()).Field("Location"), StringComparison.Ordinal);
    }

    /// <summary>Web frameworks send <c>/mcp</c> to <c>/mcp/</c>: the first request pays for it, with one round trip on the same connection.</summary>
    [Theory, OverEvery]
    public async Task FollowedRedirectIsRememberedAndCostsNoConnection(Over over)
    {
        const int posts = 50;
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Start(
            host, request => TargetOf(request) == "/mcp/" ? Messages.Answer(request.Body) : Redirect("/mcp/"));
        RawPeer first = await host.ConnectAsync();
        RawPeer second = await host.ConnectAsync();
        for (int i = 0; i < posts; i++)
        {
            RawPeer client = i % 2 == 0 ? first : second;
            await client.SendAsync(Messages.PostOf(i.ToString(CultureInfo.InvariantCulture)));
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(posts + 1, upstream.Requests.Count);
        Assert.InRange(host.Connects, 1, 2);
    }

    [Theory]
    [OverEvery("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [OverEvery("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")]
    [OverEvery("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")]
    [OverEvery("HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")]
    public async Task RememberedRedirectIsForgottenWhereItLeadsNowhere(Over over, string later)
    {
        await using var host = new WireHost(over);
        bool isGone = false;
        var targets = new ConcurrentQueue<string>();
        AnsweringUpstream.Start(host, request =>
        {
            targets.Enqueue(TargetOf(request));
            return TargetOf(request) switch
            {
                "/mcp/" => isGone ? later : Messages.Ok,
                "/mcp" => isGone ? Messages.Ok : Redirect("/mcp/"),
                _ => Messages.Ok,
            };
        });
        RawPeer client = await host.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Messages.Post);
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        }

        Assert.Equal(["/mcp", "/mcp/", "/mcp/"], targets);
        isGone = true;
        await client.SendAsync(Messages.Post);
        await client.ReadResponseAsync();
        targets.Clear();
        await client.SendAsync(Messages.Post);
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        Assert.NotEqual("/mcp/", targets.First());
    }

    /// <summary>Its client rightly waits, and nobody is slow but the upstream.</summary>
    [Theory, OverEvery]
    public async Task ClientThatWaitsForASlow100IsNotTooSlow(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ExpectingPostHead, "\r\n\r\n");
        for (TimeSpan passed = TimeSpan.Zero; passed < 4 * Limit; passed += TimeSpan.FromMilliseconds(100))
        {
            host.Clock!.Advance(TimeSpan.FromMilliseconds(100));
        }

        await upstream.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        Assert.Equal(100, (await client.ReadResponseAsync()).Status);
        await client.SendAsync("hello");
        await upstream.ReadThroughAsync("hello");
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    /// <summary>Once it may send, it is bounded as any other.</summary>
    [Theory, OverEvery]
    public async Task ClientThatHasItsHundredAndSendsNothingIsTooSlow(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ExpectingPostHead, "\r\n\r\n");
        await upstream.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        Assert.Equal(100, (await client.ReadResponseAsync()).Status);
        Assert.Equal(408, (await host.PassUntilAsync(client.ReadResponseAsync(), Limit)).Status);
    }

    /// <summary>Who begins without being told waits for nothing any more.</summary>
    [Theory, OverEvery]
    public async Task ClientThatDoesNotWaitForItsHundredAndThenSendsNothingIsTooSlow(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ExpectingPostHead + "he", "\r\n\r\nhe");
        Assert.Equal(408, (await host.PassUntilAsync(client.ReadResponseAsync(), Limit)).Status);
    }

    /// <summary>The refusal of a slow body comes from another thread: at the very moment the body ends it is this exchange's, or nobody's.</summary>
    [Theory, OverEvery]
    public async Task RefusalOfASlowBodyNeverReachesTheNextExchange(Over over)
    {
        const int rounds = 100;
        for (int i = 0; i < rounds; i++)
        {
            await using WireHost host = Host(over);
            (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
            await client.SendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
            await upstream.ReadThroughAsync("hello");
            host.Clock!.Advance(Limit);
            Task late = Task.Run(() => host.Clock.Advance(TimeSpan.FromMilliseconds(200 + (i % 3))));
            await client.TrySendAsync("world");
            bool isWhole = await IsReadAsync(upstream, "world");
            await late;
            if (isWhole)
            {
                await upstream.TrySendAsync(Messages.Ok);
            }

            StrictMessage answer = await client.ReadResponseAsync();
            Assert.True(answer.Status == 408 || (isWhole && answer.Status == 200), $"{answer.Status}, {isWhole}");
            if (answer.Status == 200 && answer.Field("Connection") is null)
            {
                await ExpectOkOrEndAsync(host, client, upstream);
            }
        }
    }

    /// <summary>A wait that begins at the moment the one before is over has its own end.</summary>
    [Theory, OverOnly("A race of two threads of the engine's, which a system between only makes rarer.", Over.Pipes, Over.InlinePipes)]
    public async Task DeadlineOfAWaitIsNotLostToTheOneBefore(Over over)
    {
        const int rounds = 200;
        for (int i = 0; i < rounds; i++)
        {
            await using WireHost host = Host(over); // with no connection to the upstream that an earlier round has left
            (RawPeer client, _) = await host.ServeOneAsync();
            Task late = Task.Run(() => host.Clock!.Advance(Limit + TimeSpan.FromMilliseconds(200)));
            await client.TrySendAsync("GET /mcp HTT"); // the first byte ends the idle wait and begins that for the head
            await late;
            Task<string> ending = client.ReadToEndAsync();
            while (!ending.IsCompleted)
            {
                host.Clock!.Advance(TimeSpan.FromMilliseconds(100)); // no other limit is far away: the end is all that can come
                await Task.Yield();
            }

            await ending;
            client.Reset();
        }
    }

    /// <summary>The upstream asks for another credential before the body is sent whole; by the time there is one, it is.</summary>
    [Theory, OverEvery]
    public async Task RequestThatIsSentAgainForACredentialArrivesWholeAndOnce(Over over)
    {
        var source = new SlowSource();
        await using var host = new WireHost(over, options => options with { Outgoing = OutgoingPolicy.From(source) });
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(Messages.ExpectingPostHead, "\r\n\r\n");
        await upstream.SendAsync("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
        await source.IsAsked.Task.Soon();
        await client.SendAsync("hello"); // it need not wait for a 100 for ever
        await upstream.ReadThroughAsync("hello");
        source.MayGive.SetResult();

        StrictMessage again = await upstream.ReadRequestAsync();
        Assert.Equal(("hello", "Bearer second"), (again.Body, again.Field("Authorization")));
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, upstream)).Body);
        Assert.Equal(1, host.Connects);
    }

    private static WireHost Host(Over over)
    {
        var limits = new ProxyLimits
        {
            BodyTimeout = Limit,
            IdleTimeout = Limit,
            HeaderTimeout = Limit,
            MinBodyBytesPerSecond = 0,
            UpstreamIdleTimeout = TimeSpan.FromHours(1),
            UpstreamMaxAge = TimeSpan.FromHours(24),
        };
        return new(over, options => options with { Limits = limits }, new FakeTimeProvider());
    }

    /// <summary>The next request is answered as itself, on whichever connection, or its own has ended before.</summary>
    private static async Task ExpectOkOrEndAsync(WireHost host, RawPeer client, RawPeer upstream)
    {
        await client.TrySendAsync(Messages.Get);
        Task<RawPeer> accepting = host.AcceptAsync();
        if (!await IsReadAsync(upstream, "\r\n\r\n"))
        {
            Task<bool> reading = client.ReadSomeAsync();
            if (await Task.WhenAny(accepting, reading) == reading)
            {
                Assert.False(await reading);
                return;
            }

            upstream = await accepting;
            await upstream.ReadThroughAsync("\r\n\r\n");
            await upstream.SendAsync(Messages.Ok);
            await reading;
        }
        else
        {
            await upstream.SendAsync(Messages.Ok);
        }

        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
    }

    private static async Task<bool> IsReadAsync(RawPeer upstream, string bytes)
    {
        try
        {
            await upstream.ReadThroughAsync(bytes);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static string TargetOf(StrictMessage request) => request.StartLine.Split(' ')[1];

    private static string Redirect(string target) => $"HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n";

    private sealed class SlowSource : ICredentialSource
    {
        public TaskCompletionSource IsAsked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayGive { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken)
        {
            if (!refused)
            {
                return new OutgoingCredential("Bearer first");
            }

            IsAsked.TrySetResult();
            await MayGive.Task.WaitAsync(cancellationToken);
            return new OutgoingCredential("Bearer second");
        }
    }
}
