using System.Diagnostics.Metrics;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Counts token exchanges (RFC 8693) and hits, which are requests whose exchanged token is in the cache. A hit allocates nothing; if nobody listens to the
/// meter, it costs one comparison.
/// </summary>
internal sealed class ExchangeMetrics
{
    /// <summary>The counter of requests that the proxy sends to exchange a token.</summary>
    private readonly Counter<long> _exchanges;

    /// <summary>The counter of clients' requests for which an exchanged token was in the cache.</summary>
    private readonly Counter<long> _hits;

    /// <summary>The counter of clients' requests that waited for a token exchange that another request had begun.</summary>
    private readonly Counter<long> _joins;

    /// <param name="meter">The meter of the proxy.</param>
    public ExchangeMetrics(Meter meter)
    {
        _exchanges = meter.CreateCounter<long>("mcpproxyfast.token_exchanges", "{exchange}", "Requests to exchange a token, by their outcome.");
        _hits = meter.CreateCounter<long>("mcpproxyfast.token_exchange.hits", "{request}", "Requests for which an exchanged token was known.");
        _joins = meter.CreateCounter<long>("mcpproxyfast.token_exchange.joins", "{request}", "Requests that waited for an exchange that another had begun.");
    }

    /// <param name="outcome">How the exchange ended: one of a fixed list of words.</param>
    public void Exchanged(string outcome) => _exchanges.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Hit() => _hits.Add(1);

    public void Joined() => _joins.Add(1);
}
