using System.Globalization;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>What the command line asks for.</summary>
internal sealed record RunOptions
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/EndToEnd -- [options]
          --scenarios LIST   names or beginnings of names, comma-separated (default: all)
          --subjects LIST    likewise
          --before FILE      also measure another build of the command (a native file or a .dll), as the subject "before"
          --cores own|one|two  the subject has a core of its own (default), or all share one core, or two
          --rounds N         how often everything is measured (default 3)
          --seconds S        length of one measurement (default 3)
          --warmup S         load before it that is not measured (default 2)
          --quick            one short round with fewer streams: it runs and reports, within three minutes
          --name NAME        file name of the results (default: latest, or quick)
          --out DIR          where they go (default: bench/Baselines; quick runs: a temporary directory)
        """;

    public IReadOnlyList<string> Scenarios { get; init; } = [];

    public IReadOnlyList<string> Subjects { get; init; } = [];

    /// <summary>Another build of the command, to compare with; null for none.</summary>
    public string? Before { get; init; }

    public CoreSharing Cores { get; init; } = CoreSharing.Own;

    public int Rounds { get; init; } = 3;

    public double Seconds { get; init; } = 3;

    public double WarmUpSeconds { get; init; } = 2;

    public bool IsQuick { get; init; }

    public string Name { get; init; } = "latest";

    public string Directory { get; init; } = Repository.Baselines;

    /// <exception cref="FormatException">An option is unknown, or its value is missing or no number.</exception>
    public static RunOptions Parse(IEnumerable<string> arguments)
    {
        string[] all = [.. arguments];
        RunOptions options = all.Contains("--quick") ? Quick() : new();
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i] != "--quick")
            {
                options = options.With(all[i], i + 1 < all.Length ? all[++i] : throw new FormatException($"{all[i]} needs a value."));
            }
        }

        return options;
    }

    /// <summary>Whether a name is among those asked for, or begins with one that ends in a hyphen's place.</summary>
    public static bool IsChosen(string name, IReadOnlyList<string> chosen) =>
        chosen.Count == 0 || chosen.Any(choice => name == choice || name.StartsWith(choice + "-", StringComparison.Ordinal));

    private static RunOptions Quick() => new()
    {
        IsQuick = true,
        Rounds = 1,
        Seconds = 0.3,
        WarmUpSeconds = 0.2,
        Name = "quick",
        Directory = Path.Combine(Path.GetTempPath(), "mcpproxyfast-bench"),
    };

    private RunOptions With(string name, string value) => name switch
    {
        "--scenarios" => this with { Scenarios = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--subjects" => this with { Subjects = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--before" => this with { Before = Path.GetFullPath(value) },
        "--cores" => this with { Cores = Enum.TryParse(value, ignoreCase: true, out CoreSharing cores) ? cores : throw new FormatException($"--cores is own, one or two, not {value}.") },
        "--rounds" => this with { Rounds = int.Parse(value, CultureInfo.InvariantCulture) },
        "--seconds" => this with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
        "--warmup" => this with { WarmUpSeconds = double.Parse(value, CultureInfo.InvariantCulture) },
        "--name" => this with { Name = value },
        "--out" => this with { Directory = Path.GetFullPath(value) },
        _ => throw new FormatException($"{name} is unknown."),
    };
}
