using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Reporting;
using McpProxyFast.EndToEnd.Roles.BridgeLoad;
using McpProxyFast.EndToEnd.Roles.BridgeOrigin;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>Bridges between stdio and HTTP beside each other, and beside the server alone: in every round each bridge gets a process of its own and all loads.</summary>
internal sealed class BridgeRun
{
    // Beyond the loads themselves: starts, the time at rest, late answers.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly RunOptions _options;
    private readonly IReadOnlyList<Scenario> _scenarios;
    private readonly List<Subject> _subjects = [];
    private readonly List<LeftOut> _leftOut = [];
    private readonly List<Measurement> _measurements = [];

    public BridgeRun(RunOptions options)
    {
        _options = options;
        _scenarios = [.. BridgeScenarios.All.Where(scenario => scenario == BridgeScenarios.Rest || RunOptions.IsChosen(scenario.Name, options.Scenarios))];
        Subject[] all =
        [
            new DirectSubject(),
            .. options.Builds.Select(build => new BridgeSubject(build.Name, $"McpProxyFast ({build.Name})", build.File)),
            BridgeSubject.Native(),
            new McpRemoteSubject(),
        ];
        foreach (Subject subject in all.Where(subject => RunOptions.IsChosen(subject.Name, options.Subjects)))
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

    /// <summary>What holds where the command line says nothing.</summary>
    /// <remarks>
    /// A bridge gets all loads in one process, which only the first of them finds cold: less is enough than where each load has a process of its own. And it is a
    /// child of its client, which pins it to no core of its own.
    /// </remarks>
    public static RunOptions Defaults { get; } = new() { Name = "bridge", Seconds = 2, WarmUpSeconds = 3, MaxWarmUpSeconds = 12, Cores = CoreSharing.Two };

    /// <summary>Measures and writes the results.</summary>
    /// <returns>The exit code: 1 when a subject failed, 2 when there is nothing to measure, else 0.</returns>
    public async Task<int> RunAsync()
    {
        foreach (string line in LeftOut.Lines(_leftOut))
        {
            Console.WriteLine($"left out: {line}");
        }

        if (_subjects.Count == 0)
        {
            Console.Error.WriteLine("There is nothing to measure.");
            return 2;
        }

        var cores = Cores.Assign(_options.Cores);
        Console.WriteLine(cores.Note);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("mcpproxyfast-");
        try
        {
            await MeasureAllAsync(cores, directory.FullName);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        var results = new Results(_options, cores.Note, _scenarios, _subjects, _leftOut, _measurements);
        results.Write();
        return results.ExitCode;
    }

    private async Task MeasureAllAsync(Cores cores, string directory)
    {
        int port = FreePort.Next();
        using var materials = new Materials(directory, port);
        using ChildProcess origin = ChildProcess.Start(Command.Role("bridge-origin", port.ToString(CultureInfo.InvariantCulture)), cores.Others);
        if (await origin.ReadLineAsync(Grace) != BridgeOriginRole.Ready)
        {
            throw new InvalidOperationException($"The origin did not start: {origin.LastOutput}");
        }

        for (int round = 0; round < _options.Rounds; round++)
        {
            var ofRound = new List<Measurement>();
            foreach (Subject subject in _subjects.Skip(round % _subjects.Count).Concat(_subjects.Take(round % _subjects.Count)))
            {
                var site = new Site
                {
                    Port = 0,
                    OriginProcess = origin.Id,
                    OriginPort = port,
                    OriginTlsPort = 0,
                    Variant = Variant.Plain,
                    Materials = materials,
                    Directory = materials.NewDirectory(),
                };
                ofRound.AddRange(await MeasureAsync(subject, site, cores, round));
            }

            _measurements.AddRange(AddedLatency.Beside(ofRound));
        }
    }

    private async Task<IReadOnlyList<Measurement>> MeasureAsync(Subject subject, Site site, Cores cores, int round)
    {
        BridgeResult result = await TryAsync(new BridgePlan
        {
            Bridge = subject.CommandFor(site),
            BridgeCores = cores.Subject,
            OriginPort = site.OriginPort,
            OriginProcess = site.OriginProcess,
            Loads = [.. _scenarios.Where(scenario => scenario != BridgeScenarios.Rest).Select(scenario => scenario.Name)],
            Starts = _options.IsQuick ? 1 : 3,
            IdleSeconds = _options.SettleSeconds,
            WarmUpSeconds = _options.WarmUpSeconds,
            MaxWarmUpSeconds = _options.MaxWarmUpSeconds,
            Seconds = _options.Seconds,
        }, cores);
        List<Measurement> measurements =
        [
            .. _scenarios.Where(scenario => result.Metrics.ContainsKey(scenario.Name))
                .Select(scenario => new Measurement(scenario.Name, subject.Name, round, result.Metrics[scenario.Name])),
        ];
        if (result.Error is { } error)
        {
            // Loads follow each other, so the first without figures is the one that failed.
            string failed = _scenarios.Select(scenario => scenario.Name).Except(result.Metrics.Keys).FirstOrDefault(BridgeLoadRole.AtRest);
            measurements.RemoveAll(measurement => measurement.Scenario == failed);
            measurements.Add(new Measurement(failed, subject.Name, round, new Dictionary<string, double>(), Error: error));
        }

        measurements.ForEach(measurement => Console.WriteLine(ProgressLine.For(measurement)));
        return measurements;
    }

    private static async Task<BridgeResult> TryAsync(BridgePlan plan, Cores cores)
    {
        try
        {
            // The profile-guided tier would still be collecting its profile when a short measurement ends.
            Command role = Command.Role("bridge-load") with { Variables = new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" } };
            using ChildProcess load = ChildProcess.Start(role, cores.Others);
            load.Tell(JsonSerializer.Serialize(plan));
            string? line = await load.ReadLineAsync((plan.Loads.Count * TimeSpan.FromSeconds(plan.MaxWarmUpSeconds + plan.Seconds)) + Grace);
            return (line is null ? null : JsonSerializer.Deserialize<BridgeResult>(line))
                ?? new BridgeResult(new Dictionary<string, Dictionary<string, double>>(), $"The load ended early: {load.LastOutput}");
        }
        catch (Exception e) when (e is TimeoutException or IOException or Win32Exception or JsonException)
        {
            // A subject that fails is reported as such and must not take the others' results with it.
            return new BridgeResult(new Dictionary<string, Dictionary<string, double>>(), e.Message);
        }
    }
}
