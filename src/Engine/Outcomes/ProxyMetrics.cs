using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using McpProxyFast.Http1;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>Counts how exchanges ended, logs refusals and faults, and reports each exchange to the observer.</summary>
/// <remarks>
/// The tags of the counters are codes and rules, never text from a message. Each proxy has its own meter. All these meters have the same name, so a listener of
/// the whole process gets the sums. A normal exchange costs a few comparisons if nobody listens. If somebody listens, counting it allocates nothing, since the
/// tags are constant strings.
/// </remarks>
internal sealed class ProxyMetrics : IDisposable
{
    public const string MeterName = "McpProxyFast";

    /// <summary>The maximum number of bytes of a method, path or field value that a log line shows. A longer one is cut.</summary>
    private const int MaxShown = 200;

    /// <summary>
    /// The maximum number of characters in a log line for the reason why no connection could be made; a longer one is cut. It is enough for a few addresses and
    /// the names in a certificate.
    /// </summary>
    private const int MaxShownOfCause = 1000;

    private readonly ILogger _logger;
    private readonly IProxyObserver? _observer;
    private readonly HookFaults _hookFaults;
    private readonly TimeProvider _clock;
    private readonly Counter<long> _exchanges;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _acceptFailures;
    private readonly RepeatedLines _lines;

    /// <summary>
    /// 1 if the proxy sends no credential of its own and has not yet logged that the target asks for one; otherwise 0. Changed by interlocked operations.
    /// </summary>
    private int _owesHint;

    /// <summary>1 if the proxy has not yet logged that the target redirects clients; otherwise 0. Changed by interlocked operations.</summary>
    private int _owesRedirectHint = 1;

    /// <param name="logger">Logs refusals and faults.</param>
    /// <param name="countOpen">Returns the number of open client connections.</param>
    /// <param name="observer">The host program's observer; null if there is none.</param>
    /// <param name="hookFaults">Logs the exceptions of the observer.</param>
    /// <param name="clock">Measures how long exchanges last, for the observer and the log.</param>
    /// <param name="hasCredential">Whether the proxy sends a credential of its own. Then no hint is logged if the target asks for one.</param>
    /// <param name="meter">The meter of the proxy; null to create one.</param>
    public ProxyMetrics(
        ILogger logger,
        Func<int> countOpen,
        IProxyObserver? observer,
        HookFaults hookFaults,
        TimeProvider clock,
        bool hasCredential = true,
        Meter? meter = null)
    {
        Meter = meter ?? new Meter(MeterName);
        _lines = new RepeatedLines(logger, clock);
        _owesHint = hasCredential ? 0 : 1;
        LogsExchanges = logger.IsEnabled(LogLevel.Debug);
        _logger = logger;
        _observer = observer;
        _hookFaults = hookFaults;
        _clock = clock;
        _exchanges = Meter.CreateCounter<long>("mcpproxyfast.exchanges", "{exchange}", "Exchanges that are over, by their end.");
        _refusals = Meter.CreateCounter<long>("mcpproxyfast.refusals", "{message}",
            "Messages that broke a rule: requests refused, answers of the upstream not taken.");
        _faults = Meter.CreateCounter<long>("mcpproxyfast.faults", "{exchange}",
            "Requests that failed although they broke no rule, by reason and by side: client, upstream, provider or proxy.");
        _retries = Meter.CreateCounter<long>("mcpproxyfast.retries", "{request}", "Idempotent requests sent once more because a kept connection had ended.");
        _acceptFailures = Meter.CreateCounter<long>("mcpproxyfast.accept.failures", "{attempt}",
            "Attempts to accept a connection that the system had no room for.");
        Meter.CreateObservableUpDownCounter("mcpproxyfast.connections", countOpen, "{connection}", "Open client connections.");
    }

    public Meter Meter { get; }

    /// <summary>Whether each exchange is reported to an observer or logged. If so, its start time and the parts of its request must be kept.</summary>
    public bool ObservesExchanges => _observer is not null || LogsExchanges;

    /// <summary>
    /// Whether the proxy has yet to log that the target redirects clients. If so, an exchange must keep the URL of a redirect
    /// (<see cref="ExchangeOutcome.MovedTo"/>).
    /// </summary>
    public bool OwesRedirectHint => _owesRedirectHint != 0;

    /// <summary>
    /// Whether each exchange is logged, at debug level. If the level is off when the proxy is created, this stays false, so that no request has to ask the
    /// logger.
    /// </summary>
    private bool LogsExchanges { get; }

    /// <summary>
    /// Reports to the counters, the log and the observer how an exchange ended. This method is called once for each exchange, the other methods only rarely.
    /// </summary>
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
                WarnOf(fault, outcome);
            }
        }

        if (_exchanges.Enabled)
        {
            _exchanges.Add(1, new KeyValuePair<string, object?>("end", NameOf(outcome.End.Value)));
        }

        if (outcome is { Status: 401, End: ExchangeEnd.Answered } && _owesHint != 0 && Interlocked.Exchange(ref _owesHint, 0) != 0)
        {
            _logger.TargetAsksForCredential();
        }

        if (outcome is { Status: 301 or 302 or 307 or 308, End: ExchangeEnd.Answered }
            && _owesRedirectHint != 0
            && Interlocked.Exchange(ref _owesRedirectHint, 0) != 0)
        {
            TellOfRedirect(outcome);
        }

        if (ObservesExchanges)
        {
            TellOf(outcome);
        }
    }

    /// <summary>Logs that a request was refused because its <c>Host</c> is not allowed.</summary>
    /// <param name="host">The host, as the client sent it.</param>
    /// <param name="peer">The client's IP address; null if it is not known.</param>
    public void HostRefused(ReadOnlySpan<byte> host, IPAddress? peer)
    {
        if (_lines.MayWrite(LogLevel.Warning, "host-not-allowed"))
        {
            _logger.HostRefused(PlainText.Of(host, MaxShown), NameOf(peer));
        }
    }

    /// <summary>Logs that a request was refused because it came from a web page whose origin is not allowed.</summary>
    /// <param name="origin">The origin, as the client sent it.</param>
    public void OriginRefused(ReadOnlySpan<byte> origin)
    {
        if (_lines.MayWrite(LogLevel.Warning, "origin-not-allowed"))
        {
            _logger.OriginRefused(PlainText.Of(origin, MaxShown));
        }
    }

    /// <summary>Logs that a request without <c>Origin</c> was refused because a web page of another site had caused it.</summary>
    public void CrossSiteRefused()
    {
        if (_lines.MayWrite(LogLevel.Warning, "cross-site-not-allowed"))
        {
            _logger.CrossSiteRefused();
        }
    }

    /// <summary>Counts that the upstream sent bytes on a connection on which it had no request to answer.</summary>
    public void UnsolicitedResponse() => Violated(Violation.UnsolicitedResponse);

    /// <summary>Counts that a request is sent again, on another connection.</summary>
    public void Retried() => _retries.Add(1);

    /// <summary>Counts and logs that a connection could not be accepted, usually because the system has no more resources for it.</summary>
    /// <param name="fault">The system's error.</param>
    /// <param name="backOff">The pause before the next attempt.</param>
    public void AcceptFailed(Exception fault, TimeSpan backOff)
    {
        _acceptFailures.Add(1);
        if (_lines.MayWrite(LogLevel.Warning, "attempts to accept a connection failed"))
        {
            _logger.AcceptFailed(fault.Message, backOff.TotalMilliseconds);
        }
    }

    public void Dispose()
    {
        _lines.Finish();
        Meter.Dispose();
    }

    private void TellOfRedirect(ExchangeOutcome outcome)
    {
        if (outcome.MovedTo is { } url)
        {
            _logger.TargetRedirectsTo(outcome.Status, url);
        }
        else
        {
            _logger.TargetRedirects(outcome.Status);
        }
    }

    /// <summary>
    /// Logs a fault. The first fault of a kind is logged as a warning. Later ones are logged at debug level, and their number as a warning
    /// (<see cref="RepeatedLines"/>).
    /// </summary>
    private void WarnOf(in Fault fault, ExchangeOutcome outcome)
    {
        Violation violation = outcome.UpstreamViolation;
        string violationCode = violation is Violation.None ? "" : Violations.CodeOf(violation);
        bool isFirst = _lines.MayWrite(LogLevel.Warning, fault.Code, violationCode);
        LogLevel level = isFirst ? LogLevel.Warning : LogLevel.Debug;
        if (!isFirst && !_logger.IsEnabled(level))
        {
            return;
        }

        if (violation is Violation.None)
        {
            string cause = outcome.Failure is { } failure ? $" {PlainText.Of(failure.ToString(), MaxShownOfCause)}." : "";
            _logger.Faulted(level, fault.Status, fault.Code, $"{fault.Sentence}{cause} {FaultAdvice.For(outcome.Fault)}".TrimEnd());
        }
        else
        {
            _logger.AnswerNotTaken(level, fault.Status, fault.Code, Violations.RuleOf(violation), violationCode);
        }
    }

    private void TellOf(ExchangeOutcome outcome)
    {
        ExchangeReport report = outcome.ToReport(_clock);
        if (LogsExchanges && _logger.IsEnabled(LogLevel.Debug))
        {
            _logger.ExchangeEnded(
                report.Method.IsEmpty ? "(no request)" : PlainText.Of(report.Method, MaxShown),
                PlainText.Of(report.Path, MaxShown),
                report.Status,
                report.Reason.Length == 0 ? NameOf(report.End) : report.Reason,
                (long)report.Duration.TotalMilliseconds,
                NameOf(report.Peer));
        }

        try
        {
            _observer?.OnExchangeEnded(report);
        }
        catch (Exception fault)
        {
            _hookFaults.Threw(Hook.Observer, fault);
        }
    }

    private static string NameOf(IPAddress? peer) => peer?.ToString() ?? "a client without an address";

    private void Violated(Violation violation) => CountBrokenRule(Violations.CodeOf(violation), Violations.RuleOf(violation), Side.Upstream, status: null);

    /// <param name="code">The code of the refusal or violation.</param>
    /// <param name="rule">The rule that was broken.</param>
    /// <param name="side">The side that broke it.</param>
    /// <param name="status">The status that the client got; null if the upstream broke the rule.</param>
    private void CountBrokenRule(string code, string rule, Side side, int? status)
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            _logger.MessageRefused(NameOf(side), code, status is null ? "" : $" ({status})", rule);
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
