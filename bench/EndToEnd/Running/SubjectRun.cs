using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>One subject, freshly started for one scenario, with the load put on it.</summary>
internal sealed class SubjectRun(Subject subject, Scenario scenario, Site site, Cores cores)
{
    // Beyond its own time a measurement opens thousands of streams and waits for late answers.
    private static readonly TimeSpan LoadGrace = TimeSpan.FromSeconds(90);

    private readonly Dictionary<string, double> _metrics = [];

    public Subject Subject => subject;

    public Scenario Scenario => scenario;

    /// <exception cref="WrongAnswerException">The subject did not start or did not protect what it should.</exception>
    public async Task<LoadResult> MeasureAsync(LoadPlan timing)
    {
        LoadPlan plan = timing with { Port = site.Port, OriginProcess = site.OriginProcess };
        if (subject.CommandFor(site) is not { } command)
        {
            return await LoadAsync(plan with { Port = site.OriginPort });
        }

        plan = scenario.CarriesToken ? plan with { Token = site.Materials.NewToken() } : plan;
        long startedAt = Stopwatch.GetTimestamp();
        using ChildProcess process = ChildProcess.Start(command, cores.Subject);
        process.KeepOutput();
        AwaitStart(process, plan, startedAt);
        LoadResult result = await LoadAsync(plan with { SubjectProcess = process.Id });
        return result.Error is null ? result : result with { Error = $"{result.Error} {process.LastOutput}".Trim() };
    }

    private void AwaitStart(ChildProcess process, LoadPlan plan, long startedAt)
    {
        LoadPlan call = plan with { Target = scenario.IsCheckedByOrigin ? plan.Target : "/mcp" };
        _metrics[Metric.StartMilliseconds] = FirstAnswer.WaitFor(process, call, startedAt);
        _metrics[Metric.ResidentAtStart] = new ProcessTree(process.Id).ResidentBytes();

        byte[] withoutToken = RequestTemplate.Call(call with { Token = null }, call.Target).With(1).ToArray();
        if (scenario.Variant is Variant.JwtProtected or Variant.TokenExchanged && FirstAnswer.Ask(plan.Port, withoutToken) is var status and not "401")
        {
            throw new WrongAnswerException($"A request without a token got {status} instead of 401.");
        }
    }

    private async Task<LoadResult> LoadAsync(LoadPlan plan)
    {
        // The profile-guided tier would still be collecting its profile when a short measurement ends.
        Command role = Command.Role("load") with { Variables = new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" } };
        using ChildProcess load = ChildProcess.Start(role, cores.Others);
        load.Tell(JsonSerializer.Serialize(plan));
        string? line = await load.ReadLineAsync(TimeSpan.FromSeconds(plan.MaxWarmUpSeconds + (2 * (plan.Seconds + plan.SettleSeconds))) + LoadGrace);
        LoadResult? result = line is null ? null : JsonSerializer.Deserialize<LoadResult>(line);
        return result is null
            ? new LoadResult(_metrics, $"The load ended early: {load.LastOutput}")
            : result with { Metrics = _metrics.Concat(result.Metrics).ToDictionary() };
    }
}
