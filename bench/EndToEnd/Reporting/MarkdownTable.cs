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

    // Percent of a core that other programs may use while figures are taken.
    private const double MaxOtherUse = 5;

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
        text.Append(CultureInfo.InvariantCulture, $"Other programs used {results.OtherUse:F0} % of a core, by the median.");
        text.Append(results.OtherUse > MaxOtherUse ? " That is too much: take the run again on a machine that does nothing else.\n" : "\n");
        if (results.Options.Rounds < RunOptions.MinRounds)
        {
            string cold = results.Options.IsQuick ? " of subjects that are warm" : string.Empty;
            text.Append(CultureInfo.InvariantCulture, $"\nThese are not figures for a document: that takes {RunOptions.MinRounds} rounds{cold}.\n");
        }

        text.Append('\n');
        foreach (Subject subject in results.Subjects)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {subject.Title}: {subject.Version()}; {subject.Settings}\n");
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
            text.Append(CultureInfo.InvariantCulture, $"| {subject.Title}{Remark(results, section.Scenario, subject)} | {string.Join(" | ", cells)} |\n");
        }

        AppendHeads(text, results, section.Scenario);

        Spread? Find(Subject subject, Column column) => results.Find(section.Scenario, subject, column.Metric);
    }

    private static string Remark(Results results, Scenario? scenario, Subject subject)
    {
        if (scenario is null || results.Options.IsQuick)
        {
            return string.Empty;
        }

        int rounds = results.RoundsOf(scenario, subject);
        string[] remarks =
        [
            .. rounds < results.Options.Rounds ? [$"{rounds} rounds"] : (string[])[],
            .. results.NotWarm(scenario, subject) is var cold and > 0 ? [$"not warm in {cold} of {rounds} rounds"] : (string[])[],
        ];
        return remarks.Length == 0 ? string.Empty : $" ({string.Join("; ", remarks)})";
    }

    private static void AppendHeads(StringBuilder text, Results results, Scenario? scenario)
    {
        if (scenario is not null && results.Heads.GetValueOrDefault(scenario.Name) is { } heads)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nHeads: {heads.RequestFields} fields up in {heads.RequestBytes} bytes, ");
            text.Append(CultureInfo.InvariantCulture, $"{heads.AnswerFields} down in {heads.AnswerBytes}.\n");
        }
    }

    private static void AppendMissing(StringBuilder text, Results results)
    {
        if (results.LeftOut.Count > 0)
        {
            text.Append("\n### Left out\n\n");
            text.AppendJoin('\n', LeftOut.Lines(results.LeftOut).Select(line => $"- {line}")).Append('\n');
        }

        AppendMissing(text, "Too slow for a figure, though every answer was right", results.TooSlow, measurement => measurement.TooSlow);
        AppendMissing(text, "Failed", results.Failed, measurement => measurement.Error);
    }

    private static void AppendMissing(StringBuilder text, string title, IEnumerable<Measurement> measurements, Func<Measurement, string?> reason)
    {
        if (measurements.Any())
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {title}\n\n");
            text.AppendJoin('\n', measurements.Select(measurement => MissingLine(measurement, reason(measurement)))).Append('\n');
        }
    }

    private static string Rounds(RunOptions options) =>
        options.Rounds == 1 ? "One round" : $"Medians, in brackets the least and the most, of {options.Rounds} rounds";

    // A crash comes with its stack; all of it is in the results file.
    private static string MissingLine(Measurement missing, string? reason)
    {
        string line = (reason ?? string.Empty).ReplaceLineEndings(" ");
        string shown = line.Length <= MaxShownError ? line : line[..MaxShownError] + " …";
        return $"- {missing.Subject}, {missing.Scenario}, round {missing.Round + 1}: {shown}";
    }

    private sealed record Section(string Title, Scenario? Scenario, IReadOnlyList<Column> Columns, string Unit);
}
