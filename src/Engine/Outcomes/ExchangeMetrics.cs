using System.Diagnostics.Metrics;

namespace McpProxyFast.Outcomes;

/// <summary>Counts token exchanges. If nobody listens to a counter, a hit costs one comparison. Counting a hit allocates nothing.</summary>
internal sealed class ExchangeMetrics
{
    /// <summary>Requests to exchange a token. Never changes.</summary>
    private readonly Counter<long> _exchanges;

    /// <summary>Requests for which an exchanged token was known. Never changes.</summary>
    private readonly Counter<long> _hits;

    /// <summary>Requests that joined an exchange in progress. Never changes.</summary>
    private readonly Counter<long> _joins;

    /// <param name="meter">The meter of the proxy.</param>
    public ExchangeMetrics(Meter meter)
    {
        _exchanges = meter.CreateCounter<long>("mcpproxyfast.token_exchanges", "{exchange}", "Requests to exchange a token, by their outcome.");
        _hits = meter.CreateCounter<long>("mcpproxyfast.token_exchange.hits", "{request}", "Requests for which an exchanged token was known.");
        _joins = meter.CreateCounter<long>("mcpproxyfast.token_exchange.joins", "{request}", "Requests that waited for an exchange that another had begun.");
    }

    /// <param name="outcome">How the exchange ended: one word of a fixed list.</param>
    public void Exchanged(string outcome) => _exchanges.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Hit() => _hits.Add(1);

    public void Joined() => _joins.Add(1);
}
