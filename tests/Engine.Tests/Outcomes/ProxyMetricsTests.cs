using System.Diagnostics.Metrics;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Engine.Tests.Outcomes;

public sealed class ProxyMetricsTests : IDisposable
{
    private readonly ListLogger _logger = new();
    private readonly ProxyMetrics _metrics;
    private readonly MeterListener _listener = new();
    private readonly List<string> _measured = [];

    public ProxyMetricsTests()
    {
        _metrics = new ProxyMetrics(_logger, () => 7, observer: null, new HookFaults(_logger, TimeProvider.System), TimeProvider.System);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _metrics.Meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, measurement, tags, _) => _measured.Add(Describe(instrument, measurement, tags)));
        _listener.SetMeasurementEventCallback<int>((instrument, measurement, tags, _) => _measured.Add(Describe(instrument, measurement, tags)));
        _listener.Start();
    }

    public static TheoryData<string> Refusals() => [.. Enum.GetNames<RefusalReason>().Where(name => name != nameof(RefusalReason.None))];

    public static TheoryData<string> AllViolations() => [.. Enum.GetNames<Violation>().Where(name => name != nameof(Violation.None))];

    public static TheoryData<string> Faults() => [.. Enum.GetNames<FaultReason>().Where(name => name != nameof(FaultReason.None))];

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void EveryRefusalIsCountedAndLoggedByItsCodeAndRule(string name)
    {
        RefusalReason reason = Enum.Parse<RefusalReason>(name);
        Refusal refusal = Refusal.For(reason);

        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Refused, Refusal = reason });

        Assert.Equal([$"mcpproxyfast.refusals 1 reason={refusal.Code} rule={refusal.Rule} side=client", "mcpproxyfast.exchanges 1 end=refused"], _measured);
        Assert.Equal(
            [
                $"Debug: Refused an HTTP message from the client: {refusal.Code} ({refusal.Status}). The rule is in: {refusal.Rule}.",
                $"Debug: (no request)  from a client without an address: 0 {refusal.Code} in 0 ms.",
            ],
            _logger.Lines);
    }

    [Theory]
    [MemberData(nameof(AllViolations))]
    public void EveryViolationOfTheUpstreamIsCountedAndLoggedByItsCodeAndRule(string name)
    {
        Violation violation = Enum.Parse<Violation>(name);
        (string code, string rule) = (Violations.CodeOf(violation), Violations.RuleOf(violation));

        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Cut, UpstreamViolation = violation });

        Assert.Equal([$"mcpproxyfast.refusals 1 reason={code} rule={rule} side=upstream", "mcpproxyfast.exchanges 1 end=cut"], _measured);
        Assert.Equal($"Debug: Refused an HTTP message from the upstream: {code}. The rule is in: {rule}.", _logger.Lines[0]);
    }

    [Fact]
    public void FaultOfAMessageIsCountedWithTheRuleItBreaks()
    {
        _metrics.Tell(new ExchangeOutcome
        {
            End = ExchangeEnd.Faulted,
            Fault = FaultReason.UpstreamResponseInvalid,
            UpstreamViolation = Violation.UnexpectedSwitch,
        });

        Assert.Equal(
            [
                "mcpproxyfast.refusals 1 reason=switch-unsolicited rule=RFC 9110 §15.2.2 side=upstream",
                "mcpproxyfast.faults 1 reason=upstream-response-invalid side=upstream",
                "mcpproxyfast.exchanges 1 end=faulted",
            ],
            _measured);
    }

    [Fact]
    public void BytesOnAnIdleConnectionAreCountedAsAnAnswerNobodyAskedFor()
    {
        _metrics.UnsolicitedResponse();

        Assert.Equal(["mcpproxyfast.refusals 1 reason=response-unsolicited rule=RFC 9112 §9.2 side=upstream"], _measured);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void EveryFaultIsCountedByItsCodeAndSide(string name)
    {
        Fault fault = Fault.For(Enum.Parse<FaultReason>(name));

        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Cut, Fault = Enum.Parse<FaultReason>(name) });

        Assert.Equal(
            [$"mcpproxyfast.faults 1 reason={fault.Code} side={fault.Side.ToString().ToLowerInvariant()}", "mcpproxyfast.exchanges 1 end=cut"], _measured);
    }

    [Fact]
    public void EveryEndHasANameOfItsOwn()
    {
        foreach (ExchangeEnd end in Enum.GetValues<ExchangeEnd>())
        {
            _metrics.Tell(new ExchangeOutcome { End = end });
        }

        Assert.Equal(Enum.GetValues<ExchangeEnd>().Length, _measured.Distinct().Count());
        Assert.All(_measured, line => Assert.Matches("^mcpproxyfast.exchanges 1 end=[a-z-]+$", line));
    }

    [Fact]
    public void FaultIsWarnedOfOnceWithItsAdviceAndToldByItselfAtDebugLevel()
    {
        for (int i = 0; i < 3; i++)
        {
            _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Faulted, Fault = FaultReason.UpstreamUnreachable });
        }

        const string Text = "Answered 502 upstream-unreachable: The upstream could not be reached. "
            + "Check that the MCP server runs, and that McpProxyOptions.Target has the server's host and port.";
        Assert.Equal([$"Warning: {Text}", $"Debug: {Text}", $"Debug: {Text}"], _logger.Lines.Where(line => line.Contains("Answered", StringComparison.Ordinal)));
    }

    [Fact]
    public void TargetThatAsksForACredentialDrawsOneHint()
    {
        using var metrics = new ProxyMetrics(
            _logger, () => 0, observer: null, new HookFaults(_logger, TimeProvider.System), TimeProvider.System, hasCredential: false);

        metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 200 });
        metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 401 });
        metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 401 });

        Assert.Single(_logger.Lines, line => line.Contains("set McpProxyOptions.Outgoing", StringComparison.Ordinal));
    }

    [Fact]
    public void TargetWhoseCredentialTheProxyHasDrawsNoHint()
    {
        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 401 });

        Assert.DoesNotContain(_logger.Lines, line => line.StartsWith("Information", StringComparison.Ordinal));
    }

    [Fact]
    public void RedirectThatReachesAClientDrawsOneHint()
    {
        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 303 });
        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 307 });
        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 308 });

        Assert.StartsWith(
            "Information: The target redirects (307)",
            Assert.Single(_logger.Lines, line => line.Contains("Set McpProxyOptions.Target to the right URL", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void RedirectThatSaysWhereTheTargetIsNamesTheUrlToSet()
    {
        Assert.True(_metrics.OwesRedirectHint);
        _metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 308, MovedTo = "https://h.example/mcp/" });

        Assert.False(_metrics.OwesRedirectHint);
        string line = Assert.Single(_logger.Lines, line => line.Contains("The target redirects (308)", StringComparison.Ordinal));
        Assert.EndsWith("Set McpProxyOptions.Target to https://h.example/mcp/.", line, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedHostAndOriginAreShownFitForATerminalWithTheOptionThatAllowsThem()
    {
        _metrics.HostRefused("evil.example\u001b[2J"u8, System.Net.IPAddress.Loopback);
        _metrics.OriginRefused("https://evil.example"u8);
        _metrics.OriginRefused("https://evil.example"u8);

        Assert.Equal(2, _logger.Lines.Count);
        Assert.Matches(@"^Warning: .*'evil.example\\u001B\[2J' .*McpProxyOptions.AllowedHosts", _logger.Lines[0]);
        Assert.Matches("^Warning: .*'https://evil.example' .*McpProxyOptions.AllowedOrigins", _logger.Lines[1]);
    }

    [Fact]
    public void ExchangesGetNoLineWhereDebugIsOff()
    {
        _logger.Least = LogLevel.Information;
        using var metrics = new ProxyMetrics(_logger, () => 0, observer: null, new HookFaults(_logger, TimeProvider.System), TimeProvider.System);

        metrics.Tell(new ExchangeOutcome { End = ExchangeEnd.Answered, Status = 200 });

        Assert.False(metrics.ObservesExchanges);
        Assert.Empty(_logger.Lines);
    }

    [Fact]
    public void OpenConnectionsAreCountedWhenAsked()
    {
        _listener.RecordObservableInstruments();

        Assert.Equal(["mcpproxyfast.connections 7"], _measured);
    }

    private static string Describe(Instrument instrument, long measurement, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string line = $"{instrument.Name} {measurement}";
        foreach ((string name, object? value) in tags)
        {
            line += $" {name}={value}";
        }

        return line;
    }
}
