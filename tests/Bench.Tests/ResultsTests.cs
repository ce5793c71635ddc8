using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Reporting;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.Bench.Tests;

public sealed class ResultsTests
{
    private static readonly Subject[] Subjects = [new DirectSubject()];
    private static readonly Scenario Posts = ScenarioTable.All(quick: true).Single(scenario => scenario.Name == "post-32");

    [LinuxFact]
    public void A_wrong_answer_fails_the_run()
    {
        Results results = Of(new RunOptions { Rounds = 1 }, Round(0) with { Error = "A body is wrong." });

        Assert.Equal(1, results.ExitCode);
        Assert.Contains("A body is wrong.", MarkdownTable.Render(results), StringComparison.Ordinal);
    }

    [LinuxFact]
    public void A_machine_that_was_too_busy_for_a_figure_is_said_and_fails_nothing()
    {
        Results results = Of(new RunOptions { Rounds = 2 }, Round(0), Round(1) with { TooSlow = "Only 3 of 75 events arrived in time." });
        string table = MarkdownTable.Render(results);

        Assert.Equal(0, results.ExitCode);
        Assert.Contains("Only 3 of 75 events arrived in time.", table, StringComparison.Ordinal);
        Assert.Contains("1 rounds", table, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Other_programs_that_used_the_machine_are_said_and_fail_nothing()
    {
        Results results = Of(new RunOptions { Rounds = 1 }, Round(0, (Metric.OtherUse, 150)));

        Assert.Equal(0, results.ExitCode);
        Assert.Contains("Other programs used 150 % of a core, by the median. That is too much", MarkdownTable.Render(results), StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Fewer_than_six_rounds_are_no_figures_for_a_document()
    {
        Measurement[] rounds = [.. Enumerable.Range(0, 6).Select(round => Round(round))];
        const string remark = "not figures for a document";

        Assert.Contains(remark, MarkdownTable.Render(Of(new RunOptions { Rounds = 5 }, rounds[..5])), StringComparison.Ordinal);
        Assert.DoesNotContain(remark, MarkdownTable.Render(Of(new RunOptions { Rounds = 6 }, rounds)), StringComparison.Ordinal);
    }

    [LinuxFact]
    public void A_subject_that_was_measured_before_it_was_warm_is_marked()
    {
        Results results = Of(new RunOptions { Rounds = 2 }, Round(0, (Metric.IsWarm, 0)), Round(1, (Metric.IsWarm, 1)));

        Assert.Contains("Direct (not warm in 1 of 2 rounds)", MarkdownTable.Render(results), StringComparison.Ordinal);
    }

    [LinuxFact]
    public void The_file_has_the_heads_of_each_row_without_the_token()
    {
        ExchangedHeads heads = ExchangedHeads.Of("POST /mcp HTTP/1.1\r\nAuthorization: Bearer "u8.ToArray().Concat(new byte[900].Select(_ => (byte)'a')).Concat(
            "\r\nMcp-Name: echo\r\n\r\n{}"u8.ToArray()).ToArray(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"u8);
        Results results = Of(new RunOptions(), Round(0)) with { Heads = new Dictionary<string, ExchangedHeads> { [Posts.Name] = heads } };
        JsonElement written = JsonDocument.Parse(ResultFile.Render(results)).RootElement.GetProperty("heads").GetProperty(Posts.Name);

        Assert.Equal(
            ["POST /mcp HTTP/1.1", "Authorization: Bearer (900 bytes)", "Mcp-Name: echo"],
            written.GetProperty("request").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal(["HTTP/1.1 200 OK", "Content-Length: 2"], written.GetProperty("answer").EnumerateArray().Select(line => line.GetString()));
        Assert.Contains("2 fields up", MarkdownTable.Render(results), StringComparison.Ordinal);
    }

    [Fact]
    public void The_share_of_late_units_is_told_beside_the_quantiles()
    {
        var samples = new LatencySamples();
        foreach (long nanoseconds in (long[])[50_000, 900_000, 1_000_001, 5_000_000])
        {
            samples.Add(nanoseconds);
        }

        var metrics = new Dictionary<string, double>();
        samples.Report(metrics);

        Assert.Equal(50, metrics[Metric.LateShare]);
    }

    [LinuxFact]
    public void The_file_has_the_settings_of_each_subject()
    {
        JsonElement file = JsonDocument.Parse(ResultFile.Render(Of(new RunOptions(), Round(0)))).RootElement;

        Assert.Equal("nothing", file.GetProperty("settings").GetProperty("direct").GetString());
        Assert.Equal(30, file.GetProperty("warmUp").GetProperty("mostSeconds").GetDouble());
    }

    private static Results Of(RunOptions options, params Measurement[] measurements) => new(options, "not pinned", [Posts], Subjects, [], measurements);

    private static Measurement Round(int round, params (string Name, double Value)[] metrics) => new(
        Posts.Name,
        "direct",
        round,
        metrics.Append((Metric.UnitsPerSecond, 1000)).ToDictionary(metric => metric.Item1, metric => metric.Item2));
}
