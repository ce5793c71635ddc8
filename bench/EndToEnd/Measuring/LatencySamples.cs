namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>All latencies of one measurement, exact: a few hundred thousand numbers are cheaper than an argument about buckets.</summary>
internal sealed class LatencySamples
{
    private const long LateNanoseconds = 1_000_000;

    private readonly List<long> _nanoseconds = new(capacity: 1 << 20);

    public int Count => _nanoseconds.Count;

    public void Add(long nanoseconds) => _nanoseconds.Add(nanoseconds);

    public void Clear() => _nanoseconds.Clear();

    public void Report(IDictionary<string, double> metrics)
    {
        if (_nanoseconds.Count == 0)
        {
            return;
        }

        _nanoseconds.Sort();
        metrics[Metric.LatencyP50] = Microseconds(0.50);
        metrics[Metric.LatencyP99] = Microseconds(0.99);
        metrics[Metric.LatencyP999] = Microseconds(0.999);

        // A scheduler's slice is longer: whoever waited for one is in this share, where a quantile jumps as soon as the share passes it.
        metrics[Metric.LateShare] = 100.0 * _nanoseconds.Count(static latency => latency > LateNanoseconds) / _nanoseconds.Count;
    }

    private double Microseconds(double quantile) =>
        _nanoseconds[(int)Math.Min(_nanoseconds.Count - 1, quantile * _nanoseconds.Count)] / 1000.0;
}
