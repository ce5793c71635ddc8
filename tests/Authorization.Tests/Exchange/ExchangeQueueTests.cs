using System.Diagnostics.Metrics;
using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>More exchanges at once than the authorization server is asked for at a time: who waits, for how long, and who is refused.</summary>
public sealed class ExchangeQueueTests : IAsyncLifetime, IDisposable
{
    private readonly TaskCompletionSource _held = new();
    private readonly Meter _meter = new(ProxyMetrics.MeterName);
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ExchangeRig.StartAsync();

    public async Task DisposeAsync()
    {
        _held.TrySetResult();
        await _rig.DisposeAsync();
    }

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task AllOfManyColdCallersGetTheirTokenInTurn()
    {
        const int callers = 700;
        HoldExchanges();
        await using ExchangeCache cache = Cache();
        Task<CredentialResult>[] waiting = [.. Enumerable.Range(0, callers).Select(caller => ObtainAsync(cache, $"caller-{caller}"))];

        await Patience.UntilAsync(() => _rig.Exchanges.Count == ExchangeCache.MaxExchanges);
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        _held.SetResult();

        CredentialResult[] results = await Task.WhenAll(waiting);
        Assert.All(Enumerable.Range(0, callers), caller => Assert.EndsWith($"-for-caller-{caller}\r\n", TextOf(results[caller].Line), StringComparison.Ordinal));
        Assert.Equal(callers, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task CallerForWhomThereIsNoPlaceInTheQueueIsToldWhenToComeAgain()
    {
        HoldExchanges();
        await using ExchangeCache cache = Cache();
        const int places = ExchangeCache.MaxExchanges + ExchangeCache.MaxWaiting;
        Task<CredentialResult>[] waiting = [.. Enumerable.Range(0, places).Select(caller => ObtainAsync(cache, $"caller-{caller}"))];

        CredentialResult refused = await ObtainAsync(cache, "one-too-many");

        Assert.Equal((CredentialResultKind.Failed, FaultReason.ExchangeUnavailable, 5), (refused.Kind, refused.Fault, refused.RetryAfterSeconds));
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        string line = Assert.Single(_rig.Log.Lines, told => told.Contains("(no-turn, exchange request ", StringComparison.Ordinal));
        Assert.Contains("): 128 exchanges are in progress", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestOfACallerForWhomThereIsNoPlaceIsAnsweredWith503AndRetryAfter()
    {
        HoldExchanges();
        await using var exchanged = new ExchangedCredentials(
            _rig.Policy, new CredentialScope(_rig.Target, isForOrigin: true), login: null, actor: null, Cache(new FlightLimits(1, 0, TimeSpan.Zero)), _rig.Clock);
        await using ForwardingProxy proxy = await ForwardingProxy.StartAsync(_rig.Target, exchanged, _rig.Log);
        Task<string> first = _rig.AskAsync(proxy.Address, "alice");
        await Patience.UntilAsync(() => !_rig.Exchanges.IsEmpty);

        using HttpResponseMessage refused = await _rig.SendAsync(proxy.Address, "Bearer bob");

        Assert.Equal((503, "5"), ((int)refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
        _held.SetResult();
        Assert.Equal("200 Bearer 1-for-alice", await first);
        Assert.Equal("200 Bearer 2-for-bob", await _rig.AskAsync(proxy.Address, "bob"));
    }

    [Fact]
    public async Task RenewalThatGetsNoTurnIsTriedAgainBeforeTheTokenEnds()
    {
        _rig.Lifetime = TimeSpan.FromSeconds(60);
        await using ExchangeCache cache = Cache(new FlightLimits(1, 0, TimeSpan.Zero));
        await ObtainAsync(cache, "alice");
        _rig.Clock.Advance(TimeSpan.FromSeconds(48)); // due for its renewal, and used for six seconds more
        HoldExchanges();
        Task<CredentialResult> other = ObtainAsync(cache, "bob");

        Assert.True(Finds(cache, "alice"));
        _held.SetResult();
        await other;
        Assert.True(Finds(cache, "alice"));
        Assert.Equal(2, _rig.Exchanges.Count);
        _rig.Clock.Advance(TimeSpan.FromSeconds(4));

        Assert.True(Finds(cache, "alice"));
        await Patience.UntilAsync(() => _rig.Exchanges.Count == 3);
        Assert.Equal("alice", _rig.Exchanges.Last()["subject_token"]);
    }

    private static Task<CredentialResult> ObtainAsync(ExchangeCache cache, string token) =>
        cache.ObtainAsync(new ExchangeInput(Encoding.ASCII.GetBytes(token), []), before: null, CancellationToken.None).AsTask();

    private static bool Finds(ExchangeCache cache, string token)
    {
        ExchangeMemo memo = default;
        return cache.Find(Encoding.ASCII.GetBytes(token), actor: default, ref memo) is not null;
    }

    private static string TextOf(CredentialLine? line) => Encoding.ASCII.GetString(line!.Bytes.Span);

    private void HoldExchanges() => _rig.Answer = async (http, request) =>
    {
        await _held.Task;
        await _rig.IssueAsync(http, request);
    };

    private ExchangeCache Cache(FlightLimits? limits = null) =>
        new(_rig.Policy, new TokenExchanger(_rig.Policy, trustAnchors: null, _rig.Clock), _rig.Clock, _rig.Log, new ExchangeMetrics(_meter), limits);
}
