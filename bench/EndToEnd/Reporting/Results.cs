using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>Everything a run has found, written as JSON, as a Markdown table and as a chart.</summary>
internal sealed record Results(
    RunOptions Options,
    string Pinning,
    IReadOnlyList<Scenario> Scenarios,
    IReadOnlyList<Subject> Subjects,
    IReadOnlyList<LeftOut> LeftOut,
    IReadOnlyList<Measurement> Measurements)
{
    public Machine Machine { get; } = Machine.Read();

    public string Commit { get; } = Repository.Commit();

    /// <summary>The heads that each scenario is measured with, by its name.</summary>
    public IReadOnlyDictionary<string, ExchangedHeads> Heads { get; init; } = new Dictionary<string, ExchangedHeads>();

    public IEnumerable<Measurement> Failed => Measurements.Where(measurement => measurement.Error is not null);

    /// <summary>What has no figure though nothing was wrong.</summary>
    public IEnumerable<Measurement> TooSlow => Measurements.Where(measurement => measurement.TooSlow is not null);

    /// <summary>1 when a subject did not start or answered wrongly. A machine that was too busy for a figure is said, which is not a failure.</summary>
    public int ExitCode => Failed.Any() ? 1 : 0;

    /// <summary>What other programs used of a core while it was measured: the median of all measurements.</summary>
    public double OtherUse
    {
        get
        {
            double[] shares = [.. Measurements.Where(m => m.Metrics.ContainsKey(Metric.OtherUse)).Select(m => m.Metrics[Metric.OtherUse])];
            return shares.Length == 0 ? 0 : Spread.Of(shares).Median;
        }
    }

    /// <summary>A figure over all rounds; null where it was not measured. Without a scenario: over all of them.</summary>
    public Spread? Find(Scenario? scenario, Subject subject, string metric)
    {
        double[] values =
        [
            .. Measurements
                .Where(m => m.HasFigures && m.Subject == subject.Name && (scenario is null || m.Scenario == scenario.Name))
                .Where(m => m.Metrics.ContainsKey(metric))
                .Select(m => m.Metrics[metric]),
        ];
        return values.Length == 0 ? null : Spread.Of(values);
    }

    /// <summary>How many measurements a scenario's figures of a subject come from.</summary>
    public int RoundsOf(Scenario scenario, Subject subject) => Of(scenario, subject).Count();

    /// <summary>In how many of them the subject was measured though it had not become warm.</summary>
    public int NotWarm(Scenario scenario, Subject subject) =>
        Of(scenario, subject).Count(m => m.Metrics.GetValueOrDefault(Metric.IsWarm, 1) == 0);

    /// <summary>A subject's figure over another's, round by round: both were measured shortly after each other, so what drifts on the machine falls out.</summary>
    /// <returns>Null where there is no round in which both were measured.</returns>
    public Spread? Ratio(Scenario scenario, Subject subject, Subject reference, string metric)
    {
        Dictionary<int, double> references = RoundsOf(scenario, reference, metric);
        double[] ratios =
        [
            .. RoundsOf(scenario, subject, metric).Where(round => references.ContainsKey(round.Key)).Select(round => round.Value / references[round.Key]),
        ];
        return ratios.Length == 0 ? null : Spread.Of(ratios);
    }

    private IEnumerable<Measurement> Of(Scenario scenario, Subject subject) =>
        Measurements.Where(m => m.HasFigures && m.Scenario == scenario.Name && m.Subject == subject.Name);

    private Dictionary<int, double> RoundsOf(Scenario scenario, Subject subject, string metric) => Measurements
        .Where(m => m.HasFigures && m.Scenario == scenario.Name && m.Subject == subject.Name && m.Metrics.ContainsKey(metric))
        .ToDictionary(m => m.Round, m => m.Metrics[metric]);

    public void Write()
    {
        Directory.CreateDirectory(Options.Directory);
        string path = Path.Combine(Options.Directory, Options.Name);
        string table = MarkdownTable.Render(this);
        File.WriteAllText(path + ".json", ResultFile.Render(this));
        File.WriteAllText(path + ".md", table);
        File.WriteAllText(path + ".svg", SvgChart.Render(this));
        Console.WriteLine();
        Console.WriteLine(table);
        if (Failed.Any() || TooSlow.Any())
        {
            Console.WriteLine($"Failed: {Failed.Count()}. Too slow for a figure, which is not a failure: {TooSlow.Count()}.");
        }

        Console.WriteLine($"Written: {path}.json, .md, .svg");
    }
}
