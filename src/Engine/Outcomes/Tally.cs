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
    private readonly IProxyObserver? _observer;
    private readonly HookFaults _hookFaults;
    private readonly TimeProvider _clock;
    private readonly Counter<long> _exchanges;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _acceptFailures;

    /// <param name="logger">Where refusals and faults are told.</param>
    /// <param name="countOpen">The number of open client connections.</param>
    /// <param name="observer">Told of every exchange; null for nobody.</param>
    /// <param name="hookFaults">Told what the observer throws.</param>
    /// <param name="clock">Measures how long exchanges last, for the observer.</param>
    public Tally(ILogger logger, Func<int> countOpen, IProxyObserver? observer, HookFaults hookFaults, TimeProvider clock)
    {
        _logger = logger;
        _observer = observer;
        _hookFaults = hookFaults;
        _clock = clock;
        _exchanges = Meter.CreateCounter<long>("mcpproxyfast.exchanges", "{exchange}", "Exchanges that are over, by their end.");
        _refusals = Meter.CreateCounter<long>("mcpproxyfast.refusals", "{message}",
            "Messages that broke a rule: requests refused, answers of the upstream not taken.");
        _faults = Meter.CreateCounter<long>("mcpproxyfast.faults", "{exchange}", "Exchanges that failed because of something outside the proxy.");
        _retries = Meter.CreateCounter<long>("mcpproxyfast.retries", "{request}", "Idempotent requests sent once more because a kept connection had ended.");
        _acceptFailures = Meter.CreateCounter<long>("mcpproxyfast.accept.failures", "{attempt}",
            "Attempts to accept a connection that the system had no room for.");
        Meter.CreateObservableUpDownCounter("mcpproxyfast.connections", countOpen, "{connection}", "Open client connections.");
    }

    public Meter Meter { get; } = new(MeterName);

    /// <summary>Tells how an exchange ended: to the counters, the log and the observer. Once for each, and the only call on the way of every request.</summary>
    public void Tell(ExchangeOutcome outcome)
    {
        Debug.Assert(outcome.End is not null, "An outcome is told when the exchange is over.");
        if (outcome.Refusal is not RefusalReason.None)
        {
            Refusal refusal = Refusal.For(outcome.Refusal);
            CountBrokenRule(refusal.Code, refusal.Rule, Side.Client, refusal.Status);
        }

        if (outcome.UpstreamViolation is not Violation.None)
        {
            Violated(outcome.UpstreamViolation);
        }

        if (outcome.Fault is not FaultReason.None)
        {
            Fault fault = Fault.For(outcome.Fault);
            _faults.Add(1, new("reason", fault.Code), new KeyValuePair<string, object?>("side", NameOf(fault.Side)));
            if (outcome.End is ExchangeEnd.Faulted && outcome.Code is null)
            {
                WarnOf(fault, outcome.UpstreamViolation);
            }
        }

        if (_exchanges.Enabled)
        {
            _exchanges.Add(1, new KeyValuePair<string, object?>("end", NameOf(outcome.End.Value)));
        }

        if (_observer is not null)
        {
            TellObserver(_observer, outcome);
        }
    }

    /// <summary>The upstream sent bytes on a connection that carries no exchange.</summary>
    public void UnsolicitedResponse() => Violated(Violation.UnsolicitedResponse);

    /// <summary>A request is sent once more.</summary>
    public void Retried() => _retries.Add(1);

    /// <summary>The system had no room for one more connection.</summary>
    public void AcceptFailed() => _acceptFailures.Add(1);

    public void Dispose() => Meter.Dispose();

    private void WarnOf(in Fault fault, Violation violation)
    {
        if (violation is Violation.None)
        {
            _logger.LogWarning("Answered {Status} {Code}.", fault.Status, fault.Code);
            return;
        }

        string rule = Violations.RuleOf(violation);
        _logger.LogWarning("Answered {Status} {Code}: the upstream broke {Rule} ({Violation}).", fault.Status, fault.Code, rule, Violations.CodeOf(violation));
    }

    private void TellObserver(IProxyObserver observer, ExchangeOutcome outcome)
    {
        try
        {
            observer.OnExchangeEnded(outcome.ToReport(_clock));
        }
        catch (Exception fault)
        {
            _hookFaults.Threw(Hook.Observer, fault);
        }
    }

    private void Violated(Violation violation) => CountBrokenRule(Violations.CodeOf(violation), Violations.RuleOf(violation), Side.Upstream, status: null);

    /// <param name="code">The refusal's or the violation's.</param>
    /// <param name="rule">The rule that was broken.</param>
    /// <param name="side">Who broke it.</param>
    /// <param name="status">What the client was answered; null where it was the upstream that broke the rule.</param>
    private void CountBrokenRule(string code, string rule, Side side, int? status)
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            _logger.LogDebug("Refused what the {Side} sent: {Code}{Status} by {Rule}.", NameOf(side), code, status is null ? "" : $" ({status})", rule);
        }

        _refusals.Add(1, new("reason", code), new("rule", rule), new("side", NameOf(side)));
    }

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
