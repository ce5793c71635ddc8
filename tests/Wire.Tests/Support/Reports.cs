using System.Net;
using System.Text;
using System.Threading.Channels;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>What the engine reported, in order. The only place of this suite that knows the form of a report.</summary>
internal sealed class Reports : IProxyObserver
{
    private readonly Channel<ReportedExchange> _reports = Channel.CreateUnbounded<ReportedExchange>();

    /// <summary>Runs on the thread that reports, behind each report; may throw. For tests of what an observer can do to the engine.</summary>
    public Action? Told { get; set; }

    public void OnExchangeEnded(in ExchangeReport report)
    {
        _reports.Writer.TryWrite(ReportedExchange.Of(report));
        Told?.Invoke();
    }

    /// <summary>Waits for the next report.</summary>
    public Task<ReportedExchange> NextAsync() => _reports.Reader.ReadAsync().Soon();

    /// <summary>Whether a report is there that nobody has taken.</summary>
    public bool HasMore => _reports.Reader.TryPeek(out _);
}

/// <summary>What tests look at of an <see cref="ExchangeReport"/>, which is gone when its call is over.</summary>
internal sealed record ReportedExchange
{
    public required ExchangeEnd End { get; init; }

    public required int Status { get; init; }

    public required string Reason { get; init; }

    public required string Rule { get; init; }

    public required TimeSpan Duration { get; init; }

    public required int Attempts { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    public required string Query { get; init; }

    public required string McpMethod { get; init; }

    public required string McpName { get; init; }

    public required string? Caller { get; init; }

    public required IPAddress? Peer { get; init; }

    public required bool IsUpstreamReused { get; init; }

    public static ReportedExchange Of(in ExchangeReport report) => new()
    {
        End = report.End,
        Status = report.Status,
        Reason = report.Reason,
        Rule = report.Rule,
        Duration = report.Duration,
        Attempts = report.Attempts,
        Method = Encoding.Latin1.GetString(report.Method),
        Path = Encoding.Latin1.GetString(report.Path),
        Query = Encoding.Latin1.GetString(report.Query),
        McpMethod = Encoding.Latin1.GetString(report.McpMethod),
        McpName = Encoding.Latin1.GetString(report.McpName),
        Caller = report.Caller,
        Peer = report.Peer,
        IsUpstreamReused = report.IsUpstreamReused,
    };
}
