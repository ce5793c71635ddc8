using System.Globalization;
using System.Text;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>The results as Markdown: one table for each scenario, subjects as rows.</summary>
internal static class MarkdownTable
{
    public static string Render(Results results)
    {
        var text = new StringBuilder();
        AppendOrigin(text, results);
        foreach (Scenario scenario in results.Scenarios)
        {
            Append(text, results, scenario.Title, scenario, Column.OfScenarios, scenario.Unit);
        }

        Append(text, results, "Start", scenario: null, Column.OfStart, unit: string.Empty);
        AppendMissing(text, results);
        return text.ToString();
    }

    private static void AppendOrigin(StringBuilder text, Results results)
    {
        Machine machine = results.Machine;
        text.Append(CultureInfo.InvariantCulture, $"Commit {results.Commit}. {machine.Processor}, {machine.Cores} cores, {machine.MemoryMiB:N0} MiB, Linux {machine.Kernel}, {machine.Runtime}; ");
        text.Append(CultureInfo.InvariantCulture, $"{results.Pinning}. {Rounds(results.Options)} of {results.Options.Seconds} s. ");
        text.Append(CultureInfo.InvariantCulture, $"Other programs used {results.OtherUse:F0} % of a core, by the median.\n\n");
        foreach (Subject subject in results.Subjects)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {subject.Title}: {subject.Version()}\n");
        }
    }

    private static void Append(StringBuilder text, Results results, string title, Scenario? scenario, IReadOnlyList<Column> all, string unit)
    {
        Column[] columns = [.. all.Where(column => results.Subjects.Any(subject => results.Find(scenario, subject, column.Metric) is not null))];
        Subject[] subjects = [.. results.Subjects.Where(subject => columns.Any(column => results.Find(scenario, subject, column.Metric) is not null))];
        if (subjects.Length == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"\n### {title}\n\n|  | {string.Join(" | ", columns.Select(column => column.Title.Replace("{unit}", unit, StringComparison.Ordinal)))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(Enumerable.Repeat("---:|", columns.Length))}\n");
        foreach (Subject subject in subjects)
        {
            IEnumerable<string> cells = columns.Select(column => column.Render(results.Find(scenario, subject, column.Metric)));
            text.Append(CultureInfo.InvariantCulture, $"| {subject.Title} | {string.Join(" | ", cells)} |\n");
        }
    }

    private static void AppendMissing(StringBuilder text, Results results)
    {
        if (results.LeftOut.Count > 0)
        {
            text.Append("\n### Left out\n\n");
            text.AppendJoin('\n', LeftOut.Lines(results.LeftOut).Select(line => $"- {line}")).Append('\n');
        }

        if (results.Failed.Any())
        {
            text.Append("\n### Failed\n\n");
            text.AppendJoin('\n', results.Failed.Select(FailureLine)).Append('\n');
        }
    }

    private static string Rounds(RunOptions options) =>
        options.Rounds == 1 ? "One round" : $"Medians, in brackets the least and the most, of {options.Rounds} rounds";

    private static string FailureLine(Measurement failed) =>
        $"- {failed.Subject}, {failed.Scenario}, round {failed.Round + 1}: {failed.Error?.ReplaceLineEndings(" ")}";
}
