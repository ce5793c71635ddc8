using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using McpProxyFast.Outcomes;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>What is counted and logged of exchanges: outcomes and digests, and no token.</summary>
public sealed class ExchangeTellingTests : IAsyncLifetime, IDisposable
{
    private readonly ConcurrentQueue<string> _counted = new();
    private readonly Meter _meter = new(ProxyMetrics.MeterName);
    private readonly MeterListener _listener = new();
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync()
    {
        _rig = await ExchangeRig.StartAsync();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            _counted.Enqueue($"{instrument.Name}{(tags.Length > 0 ? $" {tags[0].Value}" : "")} {value}"));
        _listener.Start();
    }

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task ExchangesAreCountedByTheirOutcomeAndHitsAndJoinsByThemselves()
    {
        Uri proxy = await _rig.ProxyAsync(meter: _meter);
        await _rig.AskAsync(proxy, "alice");
        await _rig.AskAsync(proxy, "alice");
        _rig.Refuse("invalid_grant");
        await _rig.AskAsync(proxy, "bob");

        Assert.Equal(
            ["mcpproxyfast.token_exchanges issued 1", "mcpproxyfast.token_exchange.hits 1", "mcpproxyfast.token_exchanges subject-refused 1"], _counted);
    }

    [Fact]
    public async Task NoTokenReachesTheLog()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Client = TokenExchangeClient.Post("id", "t0p-secret") });
        await _rig.AskAsync(proxy, "al1ce-token");
        _rig.Refuse("invalid_grant", edit: answer => answer["error_description"] = "b0b-token is unknown to t0p-secret");
        await _rig.AskAsync(proxy, "b0b-token");
        string log = string.Join('\n', _rig.Log.Lines);

        Assert.Contains("Exchanged a token at", log, StringComparison.Ordinal);
        Assert.Contains("(redacted) is unknown to (redacted)", log, StringComparison.Ordinal);
        Assert.All(["al1ce-token", "b0b-token", "t0p-secret"], secret => Assert.DoesNotContain(secret, log, StringComparison.Ordinal));
    }
}
