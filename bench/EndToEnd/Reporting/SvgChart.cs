using System.Globalization;
using System.Security;
using System.Text;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>The costs as horizontal bars, one group for each scenario, with each subject's ratio to nginx (or, without it, the last).</summary>
internal static class SvgChart
{
    private const string Reference = "nginx";

    private const int Width = 860;
    private const int BarStart = 190;
    private const int LongestBar = 470;
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
            (string metric, string unit) = scenario.Name == "idle"
                ? (Metric.BytesPerStream, "resident bytes per stream")
                : (Metric.CpuPerUnit, $"CPU µs per {scenario.Unit}");
            y = AppendGroup(body, results, scenario, metric, unit, y);
        }

        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {y}" width="{Width}" height="{y}" role="img" aria-label="Cost of each subject by scenario; shorter is better">
            <style>
            {Style}
            </style>
            {body}</svg>

            """;
    }

    private static int AppendGroup(StringBuilder body, Results results, Scenario scenario, string metric, string unit, int top)
    {
        (Subject Subject, double Value)[] bars =
        [
            .. results.Subjects
                .Select(subject => (subject, spread: results.Find(scenario, subject, metric)))
                .Where(found => found.spread is not null)
                .Select(found => (found.subject, found.spread!.Median)),
        ];
        if (bars.Length == 0)
        {
            return top;
        }

        double longest = bars.Max(bar => bar.Value);
        (Subject Subject, double Value) reference = bars.FirstOrDefault(bar => bar.Subject.Name == Reference, bars[^1]);
        AppendText(body, 0, top, $"{scenario.Title}: {unit}", "title");
        int y = top + RowHeight;
        foreach ((Subject subject, double value) in bars)
        {
            AppendBar(body, subject, value, Math.Max(1, value / longest * LongestBar), reference, y);
            y += RowHeight;
        }

        return y + GroupGap - RowHeight / 2;
    }

    private static void AppendBar(StringBuilder body, Subject subject, double value, double length, (Subject Subject, double Value) reference, int y)
    {
        bool isOwn = subject.Name.StartsWith("mcpproxyfast", StringComparison.Ordinal);
        string number = value.ToString(value < 1_000 ? "N1" : "N0", CultureInfo.InvariantCulture);
        string ratio = string.Create(CultureInfo.InvariantCulture, $" · {value / reference.Value:F2} × {reference.Subject.Title}");
        AppendText(body, 0, y, subject.Title, isOwn ? "title" : "name");
        body.Append(CultureInfo.InvariantCulture, $"<rect class=\"{(isOwn ? "own" : "peer")}\" x=\"{BarStart}\" y=\"{y - BarHeight + 4}\" width=\"{length:F0}\" height=\"{BarHeight}\" rx=\"2\"/>\n");
        AppendText(body, BarStart + (int)length + 8, y, number + ratio, "figure");
    }

    private static void AppendText(StringBuilder body, int x, int y, string text, string type) =>
        body.Append(CultureInfo.InvariantCulture, $"<text class=\"{type}\" x=\"{x}\" y=\"{y}\">{SecurityElement.Escape(text)}</text>\n");
}
