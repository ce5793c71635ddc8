using System.Globalization;
using McpProxyFast.EndToEnd.Measuring;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>One line on the console for each measurement, so that a long run can be watched.</summary>
internal static class ProgressLine
{
    private static readonly string[] Shown =
        [Metric.CpuPerUnit, Metric.UnitsPerSecond, Metric.CoreUse, Metric.LatencyP50, Metric.LatencyP99, Metric.BytesPerStream, Metric.KeptAfterClose, Metric.WarmUpSeconds];

    public static string For(Measurement measurement)
    {
        string start = $"round {measurement.Round + 1}  {measurement.Scenario,-13} {measurement.Subject,-24}";
        return measurement switch
        {
            { Error: { } error } => $"{start} FAILED: {error}",
            { TooSlow: { } reason } => $"{start} too slow: {reason}",
            _ => start + Figures(measurement),
        };
    }

    private static string Figures(Measurement measurement) => string.Join("  ", Shown
        .Where(measurement.Metrics.ContainsKey)
        .Select(name => string.Create(CultureInfo.InvariantCulture, $"{name} {measurement.Metrics[name]:F1}")));
}
