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
    private const int MaxShownError = 400;

    public static string Render(Results results)
    {
        var text = new StringBuilder();
        AppendOrigin(text, results);
        foreach (Scenario scenario in results.Scenarios)
        {
            Append(text, results, new Section(scenario.Title, scenario, Column.OfScenarios, scenario.Unit));
        }

        Append(text, results, new Section("Start", Scenario: null, Column.OfStart, Unit: string.Empty));
        RatioTable.Append(text, results);
        AppendMissing(text, results);
        return text.ToString();
    }

    private static void AppendOrigin(StringBuilder text, Results results)
    {
        Machine machine = results.Machine;
        text.Append(CultureInfo.InvariantCulture, $"Commit {results.Commit}. {machine.Processor}, {machine.Cores} cores, {machine.MemoryMiB:N0} MiB, ");
        text.Append(CultureInfo.InvariantCulture, $"Linux {machine.Kernel}, {machine.Runtime}; {results.Pinning}. ");
        text.Append(CultureInfo.InvariantCulture, $"{Rounds(results.Options)} of {results.Options.Seconds} s. ");
        text.Append(CultureInfo.InvariantCulture, $"Other programs used {results.OtherUse:F0} % of a core, by the median.\n\n");
        foreach (Subject subject in results.Subjects)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {subject.Title}: {subject.Version()}\n");
        }
    }

    private static void Append(StringBuilder text, Results results, Section section)
    {
        Column[] columns = [.. section.Columns.Where(column => results.Subjects.Any(subject => Find(subject, column) is not null))];
        Subject[] subjects = [.. results.Subjects.Where(subject => columns.Any(column => Find(subject, column) is not null))];
        if (subjects.Length == 0)
        {
            return;
        }

        IEnumerable<string> titles = columns.Select(column => column.Title.Replace("{unit}", section.Unit, StringComparison.Ordinal));
        text.Append(CultureInfo.InvariantCulture, $"\n### {section.Title}\n\n|  | {string.Join(" | ", titles)} |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(Enumerable.Repeat("---:|", columns.Length))}\n");
        foreach (Subject subject in subjects)
        {
            IEnumerable<string> cells = columns.Select(column => column.Render(Find(subject, column)));
            text.Append(CultureInfo.InvariantCulture, $"| {subject.Title} | {string.Join(" | ", cells)} |\n");
        }

        Spread? Find(Subject subject, Column column) => results.Find(section.Scenario, subject, column.Metric);
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

    // A crash comes with its stack; all of it is in the results file.
    private static string FailureLine(Measurement failed)
    {
        string error = (failed.Error ?? string.Empty).ReplaceLineEndings(" ");
        string shown = error.Length <= MaxShownError ? error : error[..MaxShownError] + " …";
        return $"- {failed.Subject}, {failed.Scenario}, round {failed.Round + 1}: {shown}";
    }

    private sealed record Section(string Title, Scenario? Scenario, IReadOnlyList<Column> Columns, string Unit);
}
