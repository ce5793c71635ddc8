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
    private readonly string _directory = Directory.CreateTempSubdirectory("mcpproxyfast-").FullName;

    public BenchmarkRun(RunOptions options)
    {
        _options = options;
        _scenarios = [.. ScenarioTable.All(options.IsQuick).Where(scenario => RunOptions.IsChosen(scenario.Name, options.Scenarios))];
        foreach (Subject subject in SubjectTable.All.Where(subject => RunOptions.IsChosen(subject.Name, options.Subjects)))
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

    /// <summary>Measures and writes the results. Returns 1 when a measurement failed, else 0.</summary>
    public async Task<int> RunAsync()
    {
        foreach (string line in LeftOut.Lines(_leftOut))
        {
            Console.WriteLine($"left out: {line}");
        }

        var cores = Cores.Assign();
        Console.WriteLine(cores.Note);
        try
        {
            await MeasureAllAsync(cores);
        }
        finally
        {
            Directory.Delete(_directory, recursive: true);
        }

        var results = new Results(_options, cores.Note, _scenarios, _subjects, _leftOut, _measurements);
        results.Write();
        return _measurements.Exists(measurement => measurement.Error is not null) ? 1 : 0;
    }

    private async Task MeasureAllAsync(Cores cores)
    {
        int originPort = FreePort.Next();
        using var materials = new Materials(_directory, originPort);
        using OriginProcess origin = await OriginProcess.StartAsync(originPort, materials, cores);
        for (int round = 0; round < _options.Rounds; round++)
        {
            foreach (Scenario scenario in _scenarios)
            {
                foreach (Subject subject in InTurn(round))
                {
                    await MeasureAsync(subject, scenario, round, NewSite(scenario, origin, materials), cores);
                }
            }
        }
    }

    // Another subject comes first in each round, so that none always has the machine in the same state.
    private IEnumerable<Subject> InTurn(int round) =>
        _subjects.Skip(round % _subjects.Count).Concat(_subjects.Take(round % _subjects.Count));

    private async Task MeasureAsync(Subject subject, Scenario scenario, int round, Site site, Cores cores)
    {
        if (!subject.Supports(scenario))
        {
            if (round == 0)
            {
                _leftOut.Add(new(subject.Title, scenario.Title, "not a thing it does"));
            }

            return;
        }

        LoadPlan timing = scenario.Load with { Seconds = _options.Seconds, WarmUpSeconds = _options.WarmUpSeconds };
        LoadResult result = await TryAsync(new SubjectRun(subject, scenario, site, cores), timing);
        var measurement = new Measurement(scenario.Name, subject.Name, round, result.Metrics, result.Error);
        _measurements.Add(measurement);
        Console.WriteLine(ProgressLine.For(measurement));
    }

    private static async Task<LoadResult> TryAsync(SubjectRun run, LoadPlan timing)
    {
        try
        {
            return await run.MeasureAsync(timing);
        }
        catch (Exception e) when (e is WrongAnswerException or TimeoutException or IOException or InvalidOperationException)
        {
            // A subject that fails is reported as such and must not take the others' results with it.
            return new LoadResult(new Dictionary<string, double>(), e.Message);
        }
    }

    private Site NewSite(Scenario scenario, OriginProcess origin, Materials materials) => new()
    {
        Port = FreePort.Next(),
        OriginProcess = origin.Id,
        OriginPort = origin.Port,
        OriginTlsPort = origin.TlsPort,
        Variant = scenario.Variant,
        Materials = materials,
        Directory = Directory.CreateDirectory(Path.Combine(_directory, Path.GetRandomFileName())).FullName,
    };
}
