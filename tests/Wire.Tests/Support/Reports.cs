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
        _reports.Writer.TryWrite(new ReportedExchange(report.End, report.Status, report.Reason, report.Attempts));
        Told?.Invoke();
    }

    /// <summary>Waits for the next report.</summary>
    public Task<ReportedExchange> NextAsync() => _reports.Reader.ReadAsync().Soon();

    /// <summary>Whether a report is there that nobody has taken.</summary>
    public bool HasMore => _reports.Reader.TryPeek(out _);
}

/// <summary>What tests look at in a report.</summary>
/// <param name="End">How the exchange ended.</param>
/// <param name="Status">The status that the client was sent; 0 for none.</param>
/// <param name="Reason">The code of the refusal or fault; empty for none.</param>
/// <param name="Attempts">How often the request was sent.</param>
internal sealed record ReportedExchange(ExchangeEnd End, int Status, string Reason, int Attempts);
