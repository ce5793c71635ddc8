using System.Globalization;
using System.Text;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>What one subject costs as a share of what each other costs: the figures that can be compared between machines.</summary>
internal static class RatioTable
{
    /// <summary>The cost that a scenario is about.</summary>
    public static string CostOf(Scenario scenario) => scenario.Load.Kind is LoadKind.IdleStreams or LoadKind.ColdStreams ? Metric.BytesPerStream : Metric.CpuPerUnit;

    /// <summary>Appends a table for every subject of the project.</summary>
    public static void Append(StringBuilder text, Results results)
    {
        foreach (Subject own in results.Subjects.Where(subject => subject.Name is "mcpproxyfast-aot" or "mcpproxyfast"))
        {
            Append(text, results, own, [.. results.Subjects.Where(subject => subject != own && subject.Name != "direct")]);
        }
    }

    private static void Append(StringBuilder text, Results results, Subject own, Subject[] others)
    {
        Row[] rows = [.. results.Scenarios.SelectMany(RowsOf).Where(row => Array.Exists(others, other => results.Ratio(row.Scenario, own, other, row.Metric) is not null))];
        if (rows.Length == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"\n### {own.Title}: its cost over that of …\n\n");
        text.Append(CultureInfo.InvariantCulture, $"|  | {string.Join(" | ", others.Select(other => other.Title))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(Enumerable.Repeat("---:|", others.Length))}\n");
        foreach (Row row in rows)
        {
            IEnumerable<string> cells = others.Select(other => Render(results.Ratio(row.Scenario, own, other, row.Metric)));
            text.Append(CultureInfo.InvariantCulture, $"| {row.Title} | {string.Join(" | ", cells)} |\n");
        }
    }

    private static IEnumerable<Row> RowsOf(Scenario scenario) =>
    [
        new(scenario, scenario.Title, CostOf(scenario)),
        new(scenario, $"{scenario.Title}: added latency, p50", Metric.AddedLatencyP50),
        new(scenario, $"{scenario.Title}: added latency, p99", Metric.AddedLatencyP99),
    ];

    private static string Render(Spread? ratio) => ratio is null ? string.Empty
        : ratio.Least == ratio.Most ? ratio.Median.ToString("F2", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:F2} ({ratio.Least:F2}–{ratio.Most:F2})");

    private sealed record Row(Scenario Scenario, string Title, string Metric);
}
