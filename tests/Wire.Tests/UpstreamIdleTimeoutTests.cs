using System.IO.Pipelines;
using McpProxyFast.Credentials;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>An upstream that does not say how long it keeps idle connections shows it by closing them; no POST is to meet such a close.</summary>
public sealed class UpstreamIdleTimeoutTests
{
    /// <summary>The upstream's time limit, as gunicorn has it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private static readonly string LongAnswer = $"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{new string('a', 1999)}!";

    [Theory, OverEvery]
    public async Task PostGetsAFreshConnectionWhereTheUpstreamSoonClosesItsOwn(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 2);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(1.1));
        await Expect.FreshUpstreamAsync(host, client, Messages.Post);
        Assert.Equal("", await own.ReadToEndAsync());
    }

    [Theory, OverEvery]
    public async Task PostReusesItsOwnConnectionLongBeforeTheUpstreamClosesIt(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 2);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post)).Body);
    }

    /// <summary>It can be sent again if it meets the close.</summary>
    [Theory, OverEvery]
    public async Task GetReusesItsOwnConnectionHoweverSoonTheUpstreamClosesIt(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 2);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own)).Body);
    }

    [Theory, OverEvery]
    public async Task PostGetsNoConnectionFromThePoolThatTheUpstreamSoonCloses(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 2);
        (RawPeer other, _) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(other);
        host.Clock!.Advance(TimeSpan.FromSeconds(1.1));
        await Expect.FreshUpstreamAsync(host, await host.ConnectAsync(), Messages.Post);
    }

    /// <summary>What the upstream does counts more than what it says: something between may close connections earlier.</summary>
    [Theory, OverEvery]
    public async Task ClosesCountMoreThanWhatTheUpstreamSays(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 2);
        (RawPeer client, RawPeer own) = await host.SendAsync(Messages.Get);
        await own.SendAsync("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=30\r\nContent-Length: 2\r\n\r\nok");
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(1.1));
        await Expect.FreshUpstreamAsync(host, client, Messages.Post);
    }

    /// <summary>It may have had any reason.</summary>
    [Theory, OverEvery]
    public async Task OneCloseTeachesNothing(Over over)
    {
        await using WireHost host = Host(over);
        await LetTheUpstreamCloseAsync(host, times: 1);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post)).Body);
    }

    [Theory, OverEvery]
    public async Task RestartOfTheUpstreamTeachesNothing(Over over)
    {
        await using WireHost host = Host(over);
        var upstreams = new List<RawPeer>();
        foreach (double pause in (double[])[0, 0.7, 0, 0.7])
        {
            upstreams.Add((await host.ServeOneAsync()).Upstream);
            host.Clock!.Advance(TimeSpan.FromSeconds(pause));
        }

        foreach (RawPeer upstream in upstreams)
        {
            await CloseAsync(upstream);
        }

        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post)).Body);
    }

    [Theory, OverEvery]
    public async Task PostPrefersAConnectionThatAnotherClientHasUsedMuchLater(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(2.5));
        (RawPeer other, RawPeer lately) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(other);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, lately, Messages.Post)).Body);
        Assert.Equal("", await own.ReadToEndAsync());
        Assert.Equal(2, host.Connects);
    }

    [Theory, OverEvery]
    public async Task PostKeepsItsOwnConnectionWhereNoOtherIsMuchYounger(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(0.5));
        (RawPeer other, _) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(other);
        host.Clock!.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post)).Body);
    }

    [Theory, OverEvery]
    public async Task GetKeepsItsOwnConnection(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(2.5));
        (RawPeer other, _) = await host.ServeOneAsync();
        await WireHost.LeaveAsync(other);
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own)).Body);
    }

    /// <summary>A request whose body is sent as it arrives cannot be sent again, whatever its method.</summary>
    [Theory]
    [OverEvery(false)]
    [OverEvery(true)]
    public async Task PutWhoseBodyIsStillToComeGetsNoConnectionThatIsTooOldForAPost(Over over, bool isPooled)
    {
        await using WireHost host = Host(over);
        (RawPeer client, _) = await host.ServeOneAsync();
        if (isPooled)
        {
            await WireHost.LeaveAsync(client);
            client = await host.ConnectAsync();
        }

        host.Clock!.Advance(TimeSpan.FromSeconds(4.5));
        await client.SendAsync("PUT /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
        RawPeer fresh = await host.AcceptAsync();
        await fresh.ReadThroughAsync("\r\n\r\nhe");
        await client.SendAsync("llo");
        await fresh.ReadThroughAsync("llo");
        await fresh.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    [Theory, OverEvery]
    public async Task PutThatHasArrivedWholeMayReuseAConnectionThatIsTooOldForAPost(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer own) = await host.ServeOneAsync();
        host.Clock!.Advance(TimeSpan.FromSeconds(4.5));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post.Replace("POST", "PUT", StringComparison.Ordinal))).Body);
    }

    /// <summary>While another credential is fetched, or a person signs in, the upstream's connection is idle.</summary>
    [Theory, OverEvery]
    public async Task PostThatIsSentAgainAfterALongWaitForACredentialGetsAFreshConnection(Over over)
    {
        await using var source = new SlowSource();
        await using WireHost host = Host(over, source);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
        await source.IsAsked.Soon();
        host.Clock!.Advance(TimeSpan.FromSeconds(4.5));
        source.Renew();
        RawPeer fresh = await host.AcceptAsync();
        Assert.Equal("Bearer new", (await fresh.ReadRequestAsync()).Field("Authorization"));
        await fresh.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    /// <summary>The same where no other credential has come of the wait, and the client gets the challenge.</summary>
    [Theory, OverEvery]
    public async Task PostAfterAChallengeThatWasPassedOnLateGetsAFreshConnection(Over over)
    {
        await using var source = new SlowSource();
        await using WireHost host = Host(over, source);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
        await source.IsAsked.Soon();
        host.Clock!.Advance(TimeSpan.FromSeconds(4.5));
        source.GiveUp();
        Assert.Equal(401, (await client.ReadResponseAsync()).Status);
        await host.Reports.NextAsync();
        await Expect.FreshUpstreamAsync(host, client, Messages.Post);
    }

    /// <summary>The upstream may have sent all of it long before the client has taken it: it is idle since then.</summary>
    /// <param name="isAtOnce">The whole answer came at once; else it had begun before.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PostGetsAFreshConnectionWhereItsClientHasTakenTheLastAnswerSlowly(bool isAtOnce)
    {
        await using WireHost host = HostWhoseClientsHoldBack();
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        if (!isAtOnce)
        {
            await upstream.SendAsync(LongAnswer[..^1000]);
            await client.ReadThroughAsync(LongAnswer[..^1000][^100..]);
        }

        await upstream.SendAsync(isAtOnce ? LongAnswer : LongAnswer[^1000..]);
        Pass(host, TimeSpan.FromSeconds(3.5));
        await client.ReadThroughAsync("!");
        await host.Reports.NextAsync();
        Pass(host, TimeSpan.FromSeconds(1));
        await Expect.FreshUpstreamAsync(host, client, Messages.Post);
    }

    /// <summary>Who waits for more of an answer knows that the upstream is not done with it.</summary>
    [Fact]
    public async Task PostReusesItsOwnConnectionWhereTheUpstreamWasSlowAndNotTheClient()
    {
        await using WireHost host = HostWhoseClientsHoldBack();
        (RawPeer client, RawPeer own) = await host.SendAsync(Messages.Get);
        await own.SendAsync(LongAnswer[..^1000]);
        Pass(host, TimeSpan.FromSeconds(1));
        await client.ReadThroughAsync(LongAnswer[..^1000][^100..]);
        Pass(host, TimeSpan.FromSeconds(3.5));
        await own.SendAsync(LongAnswer[^1000..]);
        await client.ReadThroughAsync("!");
        await host.Reports.NextAsync();
        Pass(host, TimeSpan.FromSeconds(3));
        Assert.Equal("ok", (await Messages.ExchangeAsync(client, own, Messages.Post)).Body);
        Assert.Equal(1, host.Connects);
    }

    /// <summary>Of the answer's bytes few fit between the engine and a client that does not read.</summary>
    private static WireHost HostWhoseClientsHoldBack() => new(
        Over.InlinePipes,
        WireHost.WithLongTimes,
        new FakeTimeProvider(),
        new PipeOptions(
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 64,
            resumeWriterThreshold: 32,
            useSynchronizationContext: false));

    /// <summary>Moves the clock in heartbeats.</summary>
    private static void Pass(WireHost host, TimeSpan time)
    {
        TimeSpan beat = TimeSpan.FromMilliseconds(100);
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += beat)
        {
            host.Clock!.Advance(beat);
        }
    }

    private static WireHost Host(Over over, UpstreamCredentials? credentials = null) =>
        new(over, WireHost.WithLongTimes, new FakeTimeProvider(), credentials: credentials);

    /// <summary>The upstream closes connections that have been idle for its limit, one after the other.</summary>
    private static async Task LetTheUpstreamCloseAsync(WireHost host, int times)
    {
        for (int i = 0; i < times; i++)
        {
            (_, RawPeer upstream) = await host.ServeOneAsync();
            host.Clock!.Advance(Limit);
            await CloseAsync(upstream);
        }
    }

    /// <summary>The upstream closes an idle connection, and the engine has noticed.</summary>
    private static async Task CloseAsync(RawPeer upstream)
    {
        upstream.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    /// <summary>A credential that the upstream refuses, and another one after a while.</summary>
    private sealed class SlowSource() : UpstreamCredentials(new CredentialScope(new Uri("http://up.test"), isForOrigin: true))
    {
        private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<bool> _isRenewed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override CredentialLine? Current => CredentialLine.For("Bearer old", null, this);

        /// <summary>The other credential is waited for.</summary>
        public Task IsAsked => _isAsked.Task;

        public void Renew() => _isRenewed.SetResult(true);

        /// <summary>There is no other one.</summary>
        public void GiveUp() => _isRenewed.SetResult(false);

        public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
            new(CredentialResult.Ready(Current!));

        public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
        {
            _isAsked.SetResult();
            bool isRenewed = await _isRenewed.Task.WaitAsync(cancellationToken);
            return isRenewed ? CredentialResult.Ready(CredentialLine.For("Bearer new", null, this)) : CredentialResult.PassThrough;
        }

        public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
