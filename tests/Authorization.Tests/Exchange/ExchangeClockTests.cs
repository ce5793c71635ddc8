using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>A clock that is set back by ten minutes makes nothing live longer.</summary>
public sealed class ExchangeClockTests : IAsyncLifetime
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    private ExchangeRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ExchangeRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task FailureIsForgottenAfterFiveSecondsAllTheSame()
    {
        _rig.Refuse("invalid_grant");
        Uri proxy = await _rig.ProxyAsync();
        Assert.StartsWith("401", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        _rig.Answer = null;

        _rig.Clock.SetBack(TenMinutes);
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task TokenThatHasEndedIsNotSentAllTheSame()
    {
        _rig.Lifetime = TimeSpan.FromMinutes(5);
        Uri proxy = await _rig.ProxyAsync();
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        _rig.Clock.SetBack(TenMinutes);
        _rig.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task SmallCorrectionOfTheClockCostsNoExchange()
    {
        Uri proxy = await _rig.ProxyAsync();
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        _rig.Clock.SetBack(TimeSpan.FromMilliseconds(500));

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
    }
}
