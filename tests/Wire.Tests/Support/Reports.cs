using System.Threading.Channels;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>What the engine reported, in order.</summary>
internal sealed class Reports : IProxyObserver
{
    private readonly Channel<ExchangeReport> _reports = Channel.CreateUnbounded<ExchangeReport>();

    public void OnExchangeEnded(in ExchangeReport report) => _reports.Writer.TryWrite(report);

    /// <summary>Waits for the next report.</summary>
    public Task<ExchangeReport> NextAsync() => _reports.Reader.ReadAsync().Soon();

    /// <summary>Whether a report is there that nobody has taken.</summary>
    public bool HasMore => _reports.Reader.TryPeek(out _);
}
