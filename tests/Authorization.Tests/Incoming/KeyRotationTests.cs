using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

public sealed class KeyRotationTests : IAsyncLifetime
{
    private IncomingFixture _fixture = null!;

    private ProviderServer Provider => _fixture.Provider;

    public async Task InitializeAsync() => _fixture = await IncomingFixture.StartAsync();

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task TokenByAFreshKeyIsAdmittedWithinOneRequest()
    {
        await AdmitAsync(_fixture.Key);
        TestKey fresh = TestKey.Curve("fresh", "P-256");
        Provider.Publish(_fixture.Key, fresh);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(fresh)));
    }

    [Fact]
    public async Task FreshKeyWithoutIdIsFoundByItsSignature()
    {
        TestKey old = TestKey.Curve(null, "P-256");
        TestKey fresh = TestKey.Curve(null, "P-256");
        Provider.Publish(old);
        await AdmitAsync(old);
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        Provider.Publish(fresh);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(fresh)));
    }

    [Fact]
    public async Task NewKeyUnderTheOldIdIsFoundByItsSignature()
    {
        await AdmitAsync(_fixture.Key);
        TestKey fresh = TestKey.Rsa(_fixture.Key.Id);
        Provider.Publish(fresh);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(fresh)));
    }

    [Fact]
    public async Task BadSignaturesByAKnownKeyIdCauseOneFetchPerPause()
    {
        await AdmitAsync(_fixture.Key);
        int before = Provider.TimesAsked("/keys");
        TestKey forged = TestKey.Rsa(_fixture.Key.Id);

        for (int i = 0; i < 10; i++)
        {
            Assert.Equal("bad-signature", await _fixture.ReasonAsync(_fixture.Forge.Make(forged, payload: payload => payload["jti"] = $"{i}")));
        }

        Assert.Equal(1, Provider.TimesAsked("/keys") - before);
    }

    [Fact]
    public async Task NewKeyUnderTheOldIdIsFoundAfterThePause()
    {
        await AdmitAsync(_fixture.Key);
        await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Rsa(_fixture.Key.Id)));
        TestKey fresh = TestKey.Rsa(_fixture.Key.Id);
        Provider.Publish(fresh);
        string token = _fixture.Forge.Make(fresh);
        Assert.Equal("bad-signature", await _fixture.ReasonAsync(token));

        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);

        Assert.Equal("admitted", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task RequestsWithAnUnknownKeyShareOneFetch()
    {
        await AdmitAsync(_fixture.Key);
        int before = Provider.TimesAsked("/keys");
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        TestKey unknown = TestKey.Curve("unknown", "P-256");

        string[] reasons = await Task.WhenAll(Enumerable.Range(0, 50).Select(index =>
            _fixture.ReasonAsync(_fixture.Forge.Make(unknown, payload: payload => payload["jti"] = index))));

        Assert.All(reasons, reason => Assert.Equal("unknown-key", reason));
        Assert.Equal(1, Provider.TimesAsked("/keys") - before);
    }

    [Fact]
    public async Task UnknownKeysCauseOneFetchPerPause()
    {
        await AdmitAsync(_fixture.Key);
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        int before = Provider.TimesAsked("/keys");

        for (int i = 0; i < 10; i++)
        {
            await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Curve($"unknown-{i}", "P-256")));
        }

        Assert.Equal(1, Provider.TimesAsked("/keys") - before);

        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Curve("unknown-again", "P-256")));
        Assert.Equal(2, Provider.TimesAsked("/keys") - before);
    }

    [Fact]
    public async Task TokenRefusedDuringThePauseIsAdmittedAfterIt()
    {
        await AdmitAsync(_fixture.Key);
        TestKey fresh = TestKey.Curve("fresh", "P-256");
        await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Curve("unknown", "P-256")));
        Provider.Publish(_fixture.Key, fresh);
        string token = _fixture.Forge.Make(fresh);

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(token));

        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        Assert.Equal("admitted", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task WithdrawnKeyVoidsTheVerdictsItGave()
    {
        string token = _fixture.Forge.Make(_fixture.Key);
        Assert.Equal("admitted", await _fixture.ReasonAsync(token));
        TestKey fresh = TestKey.Curve("fresh", "P-256");
        Provider.Publish(fresh);
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        await AdmitAsync(fresh);

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task KeyWithdrawnDuringALongOutageVoidsTheVerdictsItGave()
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => payload["exp"] = _fixture.Forge.Seconds(TimeSpan.FromDays(3)));
        Assert.Equal("admitted", await _fixture.ReasonAsync(token));
        await Provider.StopAsync();
        _fixture.Clock.Advance(IssuerKeyCache.MaxAge + TimeSpan.FromHours(1));
        TestKey fresh = TestKey.Curve("fresh", "P-256");
        await Provider.RestartAsync();
        Provider.Publish(fresh);
        await AdmitAsync(fresh);

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task VerdictHoldsNoLongerThanTheTrustInItsKey()
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => payload["exp"] = _fixture.Forge.Seconds(TimeSpan.FromDays(3)));
        await _fixture.ReasonAsync(token);
        await Provider.StopAsync();

        _fixture.Clock.Advance(IssuerKeyCache.MaxAge);

        var memo = new TokenMemo();
        Assert.False(_fixture.Gate.TryDecide(System.Text.Encoding.ASCII.GetBytes(token), ref memo, out _));
        Assert.Equal(TokenVerdictKind.Unavailable, (await _fixture.DecideAsync(token)).Kind);
    }

    [Fact]
    public async Task AddedKeyLeavesVerdictsAlone()
    {
        string token = _fixture.Forge.Make(_fixture.Key);
        await _fixture.ReasonAsync(token);
        TestKey fresh = TestKey.Curve("fresh", "P-256");
        Provider.Publish(_fixture.Key, fresh);
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        await AdmitAsync(fresh);

        var memo = new TokenMemo();
        Assert.True(_fixture.Gate.TryDecide(System.Text.Encoding.ASCII.GetBytes(token), ref memo, out _));
    }

    [Fact]
    public async Task KeysAreFetchedAheadOfTheFirstToken()
    {
        Assert.NotNull(_fixture.Gate);

        await Patience.UntilAsync(() => Provider.TimesAsked("/keys") == 1);
    }

    [Fact]
    public async Task KeysAreFetchedAgainInTheBackground()
    {
        await AdmitAsync(_fixture.Key);
        int before = Provider.TimesAsked("/keys");

        await Patience.UntilAsync(() =>
        {
            _fixture.Clock.Pass(IssuerKeyCache.RefreshInterval);
            return Provider.TimesAsked("/keys") > before;
        });
    }

    private async Task AdmitAsync(TestKey key) =>
        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(key)));
}
