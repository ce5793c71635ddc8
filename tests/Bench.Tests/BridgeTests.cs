using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Reporting;
using McpProxyFast.EndToEnd.Roles.BridgeLoad;
using McpProxyFast.EndToEnd.Roles.BridgeOrigin;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.Bench.Tests;

/// <summary>The load of bridges at its own server, and what is made of its figures.</summary>
public sealed class BridgeTests
{
    [LinuxFact]
    public async Task Every_load_gives_figures_at_the_server_alone()
    {
        BridgeResult result = await MeasureAsync(bridge: null, [.. BridgeScenarios.All.Skip(1).Select(scenario => scenario.Name)]);

        Assert.Null(result.Error);
        Assert.Equal(BridgeScenarios.All.Select(scenario => scenario.Name), result.Metrics.Keys);
        Assert.All(result.Metrics.Values.Skip(1), metrics => Assert.True(metrics[Metric.LatencyP50] > 0));
        Assert.True(result.Metrics[BridgeLoadRole.AtRest][Metric.StartMilliseconds] > 0);
    }

    [LinuxFact]
    public async Task A_bridge_that_answers_wrongly_is_an_error()
    {
        BridgeResult result = await MeasureAsync(new Command("cat", []), ["call-1"]);

        Assert.Equal("The answer to initialize is wrong.", result.Error);
    }

    [LinuxFact]
    public async Task A_bridge_that_ends_is_an_error_that_has_its_last_words()
    {
        BridgeResult result = await MeasureAsync(new Command("sh", ["-c", "read line; echo no server >&2"]), ["call-1"]);

        Assert.StartsWith("The bridge has ended", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Added_latency_is_that_of_the_bridge_less_that_of_the_server_alone_in_the_same_round()
    {
        Measurement[] round = [.. AddedLatency.Beside([Round("direct", 0, 50, 100), Round("mcp-remote", 0, 1050, 2100)])];

        Assert.False(round[0].Metrics.ContainsKey(Metric.AddedLatencyP50));
        Assert.Equal((1000, 2000), (round[1].Metrics[Metric.AddedLatencyP50], round[1].Metrics[Metric.AddedLatencyP99]));
    }

    [LinuxFact]
    public void Table_of_ratios_compares_what_both_bridges_add()
    {
        Subject[] subjects = [new DirectSubject(), new NamedSubject("mcpproxyfast-aot"), new NamedSubject("other")];
        var measurements = Enumerable.Range(0, 2).SelectMany(round => AddedLatency.Beside(
            [Round("direct", round, 50, 100), Round("mcpproxyfast-aot", round, 150, 300), Round("other", round, 1050, 1100)]));
        var results = new Results(new RunOptions { Rounds = 2 }, "not pinned", [BridgeScenarios.All[1]], subjects, [], [.. measurements]);

        string table = MarkdownTable.Render(results);

        Assert.Contains("| tools/call, one at a time: added latency, p50 | 0.10 |", table, StringComparison.Ordinal);
        Assert.Contains("| tools/call, one at a time: added latency, p99 | 0.20 |", table, StringComparison.Ordinal);
    }

    private static Measurement Round(string subject, int round, double p50, double p99) => new(
        "call-1", subject, round, new Dictionary<string, double> { [Metric.LatencyP50] = p50, [Metric.LatencyP99] = p99 });

    private static async Task<BridgeResult> MeasureAsync(Command? bridge, string[] loads)
    {
        int port = FreePort.Next();
        using var measured = new CancellationTokenSource();
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task serving = Task.Factory.StartNew(
            () => BridgeOriginRole.Serve(port, listening.SetResult, measured.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAny(listening.Task, serving);
        BridgeResult result = await Task.Run(() => BridgeLoadRole.Measure(new BridgePlan
        {
            Bridge = bridge,
            OriginPort = port,
            OriginProcess = Environment.ProcessId,
            Loads = loads,
            Starts = 1,
            IdleSeconds = 0,
            WarmUpSeconds = 0.1,
            MaxWarmUpSeconds = 0.1,
            Seconds = 0.2,
        }));
        await measured.CancelAsync();
        await serving;
        return result;
    }

    private sealed class NamedSubject(string name) : Subject
    {
        public override string Name => name;

        public override string Title => name;

        public override string Settings => "none";

        public override string Version() => "1";

        public override Command? CommandFor(Site site) => null;
    }
}
