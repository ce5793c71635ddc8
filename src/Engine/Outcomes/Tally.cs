using System.Diagnostics;
using System.Diagnostics.Metrics;
using McpProxyFast.Http1;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>Tells how things ended: a counter each, and, for what was refused, a line at debug level. Codes and rules only, no byte of a message.</summary>
/// <remarks>
/// One meter per proxy, all of one name, so that a listener of the whole process adds them up. An exchange that nobody listens to costs one comparison; one
/// that somebody does allocates nothing, as tags are strings that exist already.
/// </remarks>
internal sealed class Tally : IDisposable
{
    public const string MeterName = "McpProxyFast";

    private readonly ILogger _logger;
    private readonly Counter<long> _exchanges;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _acceptFailures;

    /// <param name="logger">Where refusals are told.</param>
    /// <param name="countOpen">The number of open client connections.</param>
    public Tally(ILogger logger, Func<int> countOpen)
    {
        _logger = logger;
        _exchanges = Meter.CreateCounter<long>("mcpproxyfast.exchanges", "{exchange}", "Exchanges that are over, by their end.");
        _refusals = Meter.CreateCounter<long>("mcpproxyfast.refusals", "{message}", "Messages that broke a rule: requests refused, answers of the upstream not taken.");
        _faults = Meter.CreateCounter<long>("mcpproxyfast.faults", "{exchange}", "Exchanges that failed because of something outside the proxy.");
        _retries = Meter.CreateCounter<long>("mcpproxyfast.retries", "{request}", "Idempotent requests sent once more because a kept connection had ended.");
        _acceptFailures = Meter.CreateCounter<long>("mcpproxyfast.accept.failures", "{attempt}", "Attempts to accept a connection that the system had no room for.");
        Meter.CreateObservableUpDownCounter("mcpproxyfast.connections", countOpen, "{connection}", "Open client connections.");
    }

    public Meter Meter { get; } = new(MeterName);

    /// <summary>A client's request is refused.</summary>
    public void Refused(RefusalReason reason)
    {
        Refusal refusal = Refusal.For(reason);
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            _logger.LogDebug("Refused what the {Side} sent: {Code} ({Status}) by {Rule}.", NameOf(Side.Client), refusal.Code, refusal.Status, refusal.Rule);
        }

        CountBrokenRule(refusal.Code, refusal.Rule, Side.Client);
    }

    /// <summary>A message of the upstream breaks a rule.</summary>
    public void Violated(Violation violation)
    {
        string code = Violations.CodeOf(violation);
        string rule = Violations.RuleOf(violation);
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            _logger.LogDebug("Refused what the {Side} sent: {Code} by {Rule}.", NameOf(Side.Upstream), code, rule);
        }

        CountBrokenRule(code, rule, Side.Upstream);
    }

    /// <summary>The upstream sent bytes on a connection that carries no exchange.</summary>
    public void UnsolicitedResponse() => Violated(Violation.UnsolicitedResponse);

    /// <summary>Something outside failed, and with it an exchange.</summary>
    /// <param name="reason">What.</param>
    /// <param name="violation">The rule that the upstream's message breaks, where the fault is that; it is counted too.</param>
    public void Faulted(FaultReason reason, Violation violation = Violation.None)
    {
        Fault fault = Fault.For(reason, violation);
        if (violation is not Violation.None)
        {
            Violated(violation);
        }

        _faults.Add(1, new("reason", fault.Code), new KeyValuePair<string, object?>("side", NameOf(fault.Side)));
    }

    /// <summary>An exchange is over. The only call on the way of every request.</summary>
    public void Ended(ExchangeEnd end)
    {
        if (_exchanges.Enabled)
        {
            _exchanges.Add(1, new KeyValuePair<string, object?>("end", NameOf(end)));
        }
    }

    /// <summary>A request is sent once more.</summary>
    public void Retried() => _retries.Add(1);

    /// <summary>The system had no room for one more connection.</summary>
    public void AcceptFailed() => _acceptFailures.Add(1);

    public void Dispose() => Meter.Dispose();

    private void CountBrokenRule(string code, string rule, Side side) => _refusals.Add(1, new("reason", code), new("rule", rule), new("side", NameOf(side)));

    private static string NameOf(ExchangeEnd end) => end switch
    {
        ExchangeEnd.Answered => "answered",
        ExchangeEnd.AnsweredByProxy => "answered-by-proxy",
        ExchangeEnd.Refused => "refused",
        ExchangeEnd.Faulted => "faulted",
        ExchangeEnd.Cut => "cut",
        ExchangeEnd.ClientGone => "client-gone",
        _ => throw new UnreachableException($"{end} has no name."),
    };

    private static string NameOf(Side side) => side switch
    {
        Side.Client => "client",
        Side.Upstream => "upstream",
        Side.Provider => "provider",
        Side.Proxy => "proxy",
        _ => throw new UnreachableException($"{side} has no name."),
    };
}
