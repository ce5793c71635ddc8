using McpProxyFast.Credentials;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>The start belongs to the proxy: it is begun once, nobody who waits ends it, and while it has failed nothing goes out without a credential.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task ClientThatLeavesDoesNotEndTheStartForTheOthers()
    {
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, credentials: source);
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        using var firstStops = new CancellationTokenSource();
        var pair = new PipePair();
        Task first = host.Proxy.ServeAsync(pair.EngineEnd, new ClientConnectionInfo(), firstStops.Token);
        await source.Begun.Soon();
        await firstStops.CancelAsync();
        await first.Soon();

        RawPeer second = await host.ConnectAsync();
        await second.SendAsync(Messages.Get);
        source.Succeed();
        Assert.Equal(200, (await second.ReadResponseAsync()).Status);
        Assert.Equal("Bearer started", Assert.Single(upstream.Requests).Field("Authorization"));
        Assert.Equal((1, false), (source.Starts, source.WasCancelled));
    }

    [Fact]
    public async Task StartIsBegunOnceHoweverManyAskForIt()
    {
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, credentials: source);
        Task[] starting = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(() => host.Proxy.StartAsync()))];
        await host.ConnectAsync();
        source.Succeed();
        await Task.WhenAll(starting).Soon();
        Assert.Equal(1, source.Starts);
    }

    [Fact]
    public async Task CallerThatNoLongerWaitsDoesNotEndTheStart()
    {
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, credentials: source);
        using var impatient = new CancellationTokenSource();
        Task waiting = host.Proxy.StartAsync(impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        Task patient = host.Proxy.StartAsync();
        source.Succeed();
        await patient.Soon();
        Assert.Equal((1, false), (source.Starts, source.WasCancelled));
    }

    [Fact]
    public async Task EveryConnectionGets503WhileTheStartHasFailed()
    {
        var log = new LogLines();
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, options => options with { Logger = log }, new FakeTimeProvider(), credentials: source);
        source.Fail(new InvalidOperationException("Sign in with the right flags."));
        for (int i = 0; i < 3; i++)
        {
            RawPeer client = await host.ConnectAsync();
            await client.SendAsync(Messages.Post);
            StrictMessage answer = await client.ReadResponseAsync();
            Assert.Equal((503, "5"), (answer.Status, answer.Field("Retry-After")));
            Assert.Contains("\"reason\":\"credential-unavailable\"", answer.Body, StringComparison.Ordinal);
            Assert.Contains("Sign in with the right flags.", answer.Body, StringComparison.Ordinal);
            Assert.Equal((ExchangeEnd.Faulted, "credential-unavailable"), await EndAsync(host));
        }

        Assert.Equal((1, 0), (source.Starts, host.Connects));
        Assert.Single(log.With("The proxy has started without a credential for the upstream: Sign in with the right flags."));
    }

    [Fact]
    public async Task FailedStartIsTriedAgainAfterAPause()
    {
        var clock = new FakeTimeProvider();
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, clock: clock, credentials: source);
        AnsweringUpstream.Ok(host);
        source.Fail(new InvalidOperationException("Not yet."));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        Assert.Equal(503, (await client.ReadResponseAsync()).Status);

        clock.Advance(TimeSpan.FromSeconds(5));
        source.Succeed();
        await client.SendAsync(Messages.Get);
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        Assert.Equal(2, source.Starts);
    }

    [Fact]
    public async Task WhoeverStartsTheProxyIsToldWhyThereIsNoCredential()
    {
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, credentials: source);
        source.Fail(new InvalidOperationException("Sign in with the right flags."));
        InvalidOperationException failed = await Assert.ThrowsAsync<InvalidOperationException>(() => host.Proxy.StartAsync().Soon());
        Assert.Equal("Sign in with the right flags.", failed.Message);
    }

    [Fact]
    public async Task TextOfAnUnexpectedExceptionIsToldToNobody()
    {
        var log = new LogLines();
        var source = new SlowSource();
        await using var host = new WireHost(Over.Pipes, options => options with { Logger = log }, credentials: source);
        source.Fail(new FormatException("token=s3cret"));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        Assert.Contains("The credential could not be obtained (FormatException).", (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
        Assert.Empty(log.With("s3cret"));
    }

    [Fact]
    public async Task DisposingOfTheProxyEndsTheStart()
    {
        var source = new SlowSource();
        var host = new WireHost(Over.Pipes, credentials: source);
        Task starting = host.Proxy.StartAsync();
        await source.Begun.Soon();
        await host.DisposeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => starting.Soon());
        Assert.True(source.WasCancelled);
    }

    private static async Task<(ExchangeEnd End, string Reason)> EndAsync(WireHost host)
    {
        ReportedExchange report = await host.Reports.NextAsync();
        return (report.End, report.Reason);
    }

    /// <summary>A source whose start ends when the test says so.</summary>
    private sealed class SlowSource() : UpstreamCredentials(new CredentialScope(new Uri("http://up.test"), isForOrigin: true))
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile CredentialLine? _line;
        private int _starts;

        public Task Begun => _begun.Task;

        public int Starts => Volatile.Read(ref _starts);

        public bool WasCancelled { get; private set; }

        public override CredentialLine? Current => _line;

        public void Succeed()
        {
            if (_outcome.Task.IsFaulted)
            {
                _outcome = new TaskCompletionSource();
            }

            _outcome.SetResult();
        }

        public void Fail(Exception fault) => _outcome.SetException(fault);

        public override async Task StartAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _starts);
            _begun.TrySetResult();
            try
            {
                await _outcome.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                WasCancelled = true;
                throw;
            }

            _line = CredentialLine.For("Bearer started", endsAt: null, token: this);
        }

        public override async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
        {
            await _outcome.Task.WaitAsync(cancellationToken);
            return CredentialResult.Ready(CredentialLine.For("Bearer started", endsAt: null, token: this));
        }

        public override ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken) =>
            new(CredentialResult.PassThrough);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
