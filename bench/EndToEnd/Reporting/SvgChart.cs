using System.Globalization;
using System.Security;
using System.Text;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>The costs as horizontal bars, one group for each scenario, with each subject's ratio to nginx (or, without it, to the last).</summary>
internal static class SvgChart
{
    private const string Reference = "nginx";

    private const int Width = 860;
    private const int BarStart = 220;
    private const int LongestBar = 440;
    private const int BarHeight = 16;
    private const int RowHeight = 22;
    private const int GroupGap = 34;

    // Readable on a light and on a dark page; the project's own bars stand out in both.
    private const string Style = """
        text { font: 13px system-ui, sans-serif; fill: #24292f }
        .title { font-weight: 600 }
        .own { fill: #0969da }
        .peer { fill: #afb8c1 }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6edf3 }
          .own { fill: #4493f8 }
          .peer { fill: #57606a }
        }
        """;

    public static string Render(Results results)
    {
        var body = new StringBuilder();
        int y = GroupGap;
        foreach (Scenario scenario in results.Scenarios)
        {
            string metric = RatioTable.CostOf(scenario);
            string unit = metric == Metric.CpuPerUnit ? $"CPU µs per {scenario.Unit}" : "resident bytes per stream";
            y = AppendGroup(body, $"{scenario.Title}: {unit}", BarsOf(results, scenario, metric), y);
        }

        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {y}" width="{Width}" height="{y}"
                 role="img" aria-label="Cost of each subject by scenario; shorter is better">
            <style>
            {Style}
            </style>
            {body}</svg>

            """;
    }

    private static Bar[] BarsOf(Results results, Scenario scenario, string metric) =>
    [
        .. results.Subjects
            .Select(subject => (subject, spread: results.Find(scenario, subject, metric)))
            .Where(found => found.spread is not null)
            .Select(found => new Bar(found.subject.Title, found.spread!.Median, found.subject.Name.StartsWith("mcpproxyfast", StringComparison.Ordinal))),
    ];

    private static int AppendGroup(StringBuilder body, string title, Bar[] bars, int y)
    {
        if (bars.Length == 0)
        {
            return y;
        }

        double longest = bars.Max(bar => bar.Value);
        Bar reference = Array.Find(bars, bar => bar.Title == Reference) ?? bars[^1];
        AppendText(body, (0, y), title, "title");
        foreach (Bar bar in bars)
        {
            y += RowHeight;
            int length = Math.Max(1, (int)(bar.Value / longest * LongestBar));
            AppendText(body, (0, y), bar.Title, bar.IsOwn ? "title" : "name");
            AppendBar(body, y, length, bar.IsOwn ? "own" : "peer");
            AppendText(body, (BarStart + length + 8, y), Figure(bar, reference), "figure");
        }

        return y + GroupGap;
    }

    private static string Figure(Bar bar, Bar reference)
    {
        string precision = bar.Value < 1_000 ? "N1" : "N0";
        string ratio = (bar.Value / reference.Value).ToString("F2", CultureInfo.InvariantCulture);
        return $"{bar.Value.ToString(precision, CultureInfo.InvariantCulture)} · {ratio} × {reference.Title}";
    }

    private static void AppendBar(StringBuilder body, int y, int length, string type) => body.Append(
        CultureInfo.InvariantCulture,
        $"<rect class=\"{type}\" x=\"{BarStart}\" y=\"{y - BarHeight + 4}\" width=\"{length}\" height=\"{BarHeight}\" rx=\"2\"/>\n");

    private static void AppendText(StringBuilder body, (int X, int Y) at, string text, string type) =>
        body.Append(CultureInfo.InvariantCulture, $"<text class=\"{type}\" x=\"{at.X}\" y=\"{at.Y}\">{SecurityElement.Escape(text)}</text>\n");

    private sealed record Bar(string Title, double Value, bool IsOwn);
}
