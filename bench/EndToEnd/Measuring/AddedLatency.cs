namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>What a bridge adds to the time that the server alone takes, within one round.</summary>
internal static class AddedLatency
{
    private const string Direct = "direct";

    private static readonly (string Latency, string Added)[] Pairs =
        [(Metric.LatencyP50, Metric.AddedLatencyP50), (Metric.LatencyP99, Metric.AddedLatencyP99)];

    /// <summary>The measurements of a round, each with its difference to that of the server alone where there is one.</summary>
    public static IEnumerable<Measurement> Beside(IReadOnlyList<Measurement> round) => round.Select(measurement =>
        measurement.Subject != Direct && round.FirstOrDefault(other => other.Subject == Direct && other.Scenario == measurement.Scenario) is { } direct
            ? measurement with { Metrics = With(measurement.Metrics, direct.Metrics) }
            : measurement);

    private static Dictionary<string, double> With(IReadOnlyDictionary<string, double> metrics, IReadOnlyDictionary<string, double> direct)
    {
        var all = metrics.ToDictionary();
        foreach ((string latency, string added) in Pairs)
        {
            if (metrics.TryGetValue(latency, out double with) && direct.TryGetValue(latency, out double without))
            {
                all[added] = with - without;
            }
        }

        return all;
    }
}
