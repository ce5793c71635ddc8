using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json.Nodes;
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

    public static TheoryData<string, Action<JsonObject>> Repeated => new()
    {
        { "error", answer => answer["error"] = "odd p4rameter" },
        { "error_description", answer => answer["error_description"] = "p4rameter and qu3ry%20value of al1ce-token" },
        { "token_type", answer => Issue(answer, ("token_type", "p4rameter")) },
        { "token_type with the subject's token", answer => Issue(answer, ("token_type", "al1ce-token")) },
        { "issued_token_type", answer => Issue(answer, ("issued_token_type", "al1ce-token:refresh_token")) },
        { "claims", answer => answer["claims"] = """{"access_token":{"p4rameter":{"essential":true}}}""" },
        { "acr_values", answer => (answer["error"], answer["acr_values"]) = ("interaction_required", "c1 al1ce-token") },
    };

    [Theory]
    [MemberData(nameof(Repeated))]
    public async Task NothingSecretOfTheRequestComesBackInTheLogOrTheAnswer(string member, Action<JsonObject> edit)
    {
        Assert.NotEmpty(member);
        _rig.Refuse("invalid_request", edit: edit);
        Uri proxy = await _rig.ProxyAsync(new TokenExchangePolicy(new Uri($"{_rig.Origin}/token?key=qu3ry%20value"))
        {
            Parameters = [new("connection", "p4rameter"), new("on", "1")],
        });

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer al1ce-token");
        string said = string.Join('\n', _rig.Log.Lines) + response.Headers + await response.Content.ReadAsStringAsync();
        string challenge = string.Join(' ', response.Headers.WwwAuthenticate.Select(value => value.Parameter));
        string claims = challenge.Contains("claims=\"", StringComparison.Ordinal)
            ? Encoding.UTF8.GetString(Convert.FromBase64String(challenge.Split("claims=\"")[1].Split('"')[0]))
            : "";

        Assert.False(response.IsSuccessStatusCode);
        Assert.All(["p4rameter", "qu3ry", "al1ce-token"], secret => Assert.DoesNotContain(secret, said + claims, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ValuesTooShortToBeSecretsLeaveTheServersWordsAsTheyAre()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Parameters = [new("on", "1")] });
        _rig.Refuse("invalid_request", edit: answer => answer["error_description"] = "AADSTS90101 it says");

        await _rig.AskAsync(proxy, "alice");

        Assert.Contains(_rig.Log.Lines, line => line.Contains("AADSTS90101 it says", StringComparison.Ordinal));
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

    private static void Issue(JsonObject answer, (string Name, string Value) odd)
    {
        answer.Clear();
        answer["access_token"] = "new";
        answer[odd.Name] = odd.Value;
    }
}
