using System.ComponentModel;
using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Reporting;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>A whole run: every round measures every scenario, and within a scenario one subject after the other.</summary>
internal sealed class BenchmarkRun
{
    private readonly RunOptions _options;
    private readonly IReadOnlyList<Scenario> _scenarios;
    private readonly List<Subject> _subjects = [];
    private readonly List<LeftOut> _leftOut = [];
    private readonly List<Measurement> _measurements = [];
    private readonly Dictionary<string, ExchangedHeads> _heads = [];

    public BenchmarkRun(RunOptions options)
    {
        _options = options;
        _scenarios = [.. ScenarioTable.All(options.IsQuick).Where(scenario => RunOptions.IsChosen(scenario.Name, options.Scenarios))];
        foreach (Subject subject in SubjectTable.For(options).Where(subject => RunOptions.IsChosen(subject.Name, options.Subjects)))
        {
            if (subject.WhyLeftOut() is { } reason)
            {
                _leftOut.Add(new(subject.Title, Scenario: null, reason));
            }
            else
            {
                _subjects.Add(subject);
            }
        }
    }

    /// <summary>Measures and writes the results.</summary>
    /// <returns>The exit code: 1 when a subject failed, 2 when there is nothing to measure, else 0.</returns>
    public async Task<int> RunAsync()
    {
        foreach (string line in LeftOut.Lines(_leftOut))
        {
            Console.WriteLine($"left out: {line}");
        }

        if (_subjects.Count == 0 || _scenarios.Count == 0)
        {
            Console.Error.WriteLine("There is nothing to measure.");
            return 2;
        }

        var cores = Cores.Assign(_options.Cores);
        Console.WriteLine(cores.Note);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("mcpproxyfast-");
        try
        {
            await MeasureAllAsync(cores, directory);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        var results = new Results(_options, cores.Note, _scenarios, _subjects, _leftOut, _measurements) { Heads = _heads };
        results.Write();
        return results.ExitCode;
    }

    private async Task MeasureAllAsync(Cores cores, DirectoryInfo directory)
    {
        int originPort = FreePort.Next();
        using var materials = new Materials(directory.FullName, originPort);
        using OriginProcess origin = await OriginProcess.StartAsync(originPort, materials, cores);
        foreach (Scenario scenario in _scenarios)
        {
            _heads.Add(scenario.Name, ExchangedHeads.Of(scenario, origin.Port, materials));
        }

        for (int round = 0; round < _options.Rounds; round++)
        {
            foreach (Scenario scenario in _scenarios)
            {
                foreach (Subject subject in InTurn(round))
                {
                    await MeasureAsync(new SubjectRun(subject, scenario, NewSite(scenario, origin, materials), cores), round);
                }
            }
        }
    }

    // Another subject comes first in each round, so that none always has the machine in the same state.
    private IEnumerable<Subject> InTurn(int round) =>
        _subjects.Skip(round % _subjects.Count).Concat(_subjects.Take(round % _subjects.Count));

    private async Task MeasureAsync(SubjectRun run, int round)
    {
        if (!run.Subject.Supports(run.Scenario))
        {
            if (round == 0)
            {
                _leftOut.Add(new(run.Subject.Title, run.Scenario.Title, "not a thing it does"));
            }

            return;
        }

        LoadPlan timing = run.Scenario.Load with
        {
            Seconds = _options.Seconds,
            WarmUpSeconds = _options.WarmUpSeconds,
            MaxWarmUpSeconds = _options.MaxWarmUpSeconds,
            SettleSeconds = _options.SettleSeconds,
        };
        LoadResult result = await TryAsync(run, timing);
        var measurement = new Measurement(run.Scenario.Name, run.Subject.Name, round, result.Metrics, result.Error, result.TooSlow);
        _measurements.Add(measurement);
        Console.WriteLine(ProgressLine.For(measurement));
    }

    private static async Task<LoadResult> TryAsync(SubjectRun run, LoadPlan timing)
    {
        try
        {
            return await run.MeasureAsync(timing);
        }
        catch (Exception e) when (e is WrongAnswerException or TimeoutException or IOException or InvalidOperationException or Win32Exception or JsonException)
        {
            // A subject that fails is reported as such and must not take the others' results with it.
            return new LoadResult(new Dictionary<string, double>(), Error: e.Message);
        }
    }

    private static Site NewSite(Scenario scenario, OriginProcess origin, Materials materials) => new()
    {
        Port = FreePort.Next(),
        OriginProcess = origin.Id,
        OriginPort = origin.Port,
        OriginTlsPort = origin.TlsPort,
        Variant = scenario.Variant,
        Materials = materials,
        Directory = materials.NewDirectory(),
    };
}
