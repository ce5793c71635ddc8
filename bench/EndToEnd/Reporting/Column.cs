using System.Globalization;
using McpProxyFast.EndToEnd.Measuring;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>A column of the table: a figure, in the unit and precision that a reader wants.</summary>
internal sealed record Column(string Title, string Metric, double Divisor, string Format)
{
    private const double MB = 1_000_000;

    /// <summary>The columns of every scenario; those without figures are not shown.</summary>
    public static IReadOnlyList<Column> OfScenarios { get; } =
    [
        new("CPU µs per {unit}", Measuring.Metric.CpuPerUnit, 1, "N1"),
        new("{unit}s per second", Measuring.Metric.UnitsPerSecond, 1, "N0"),
        new("core use %", Measuring.Metric.CoreUse, 1, "N0"),
        new("p50 µs", Measuring.Metric.LatencyP50, 1, "N0"),
        new("p99 µs", Measuring.Metric.LatencyP99, 1, "N0"),
        new("added p50 µs", Measuring.Metric.AddedLatencyP50, 1, "N0"),
        new("added p99 µs", Measuring.Metric.AddedLatencyP99, 1, "N0"),
        new("p99.9 µs", Measuring.Metric.LatencyP999, 1, "N0"),
        new("over 1 ms %", Measuring.Metric.LateShare, 1, "N2"),
        new("resident MB", Measuring.Metric.Resident, MB, "N1"),
        new("bytes per stream", Measuring.Metric.BytesPerStream, 1, "N0"),
        new("at most", Measuring.Metric.MostBytesPerStream, 1, "N0"),
        new("MB kept after close", Measuring.Metric.KeptAfterClose, MB, "N1"),
        new("opening them, ms", Measuring.Metric.OpeningMilliseconds, 1, "N0"),
        new("warm-up s", Measuring.Metric.WarmUpSeconds, 1, "N1"),
    ];

    public static IReadOnlyList<Column> OfStart { get; } =
    [
        new("start to first answer, ms", Measuring.Metric.StartMilliseconds, 1, "N0"),
        new("resident MB then", Measuring.Metric.ResidentAtStart, MB, "N1"),
    ];

    /// <summary>The median, and the least and the most where they differ from it.</summary>
    public string Render(Spread? spread)
    {
        if (spread is null)
        {
            return "–";
        }

        string median = Number(spread.Median);
        string range = $"{Number(spread.Least)}–{Number(spread.Most)}";
        return range == $"{median}–{median}" ? median : $"{median} ({range})";
    }

    private string Number(double value) => (value / Divisor).ToString(Format, CultureInfo.InvariantCulture);
}
