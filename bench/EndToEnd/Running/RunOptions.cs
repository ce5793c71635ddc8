using System.Globalization;
using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>What the command line asks for.</summary>
internal sealed record RunOptions
{
    /// <summary>Figures of fewer rounds say that something runs, not what it costs.</summary>
    public const int MinRounds = 6;

    public const string Usage = """
        usage: dotnet run -c Release --project bench/EndToEnd -- [options]            proxies beside each other
               dotnet run -c Release --project bench/EndToEnd -- bridge [options]     bridges between stdio and HTTP
          --scenarios LIST   names or beginnings of names, comma-separated (default: all)
          --subjects LIST    likewise
          --build NAME=FILE  also measure another build of the command (a native file or a .dll), as the subject NAME; may be repeated
          --before FILE      the same as --build before=FILE
          --cores own|one|two  the subject has a core of its own (default for proxies), or all share one core, or two (default for bridges)
          --rounds N         how often everything is measured (default 6, and no figure of fewer goes into a document)
          --seconds S        length of one measurement (default 3)
          --warmup S         load before it that is not measured, at least (default 6); it goes on while the figure falls, at most 30 s
          --quick            one short round with fewer streams: it runs and reports, within three minutes
          --name NAME        file name of the results (default: latest, or quick)
          --out DIR          where they go (default: bench/Baselines; quick runs: a temporary directory)
        """;

    public IReadOnlyList<string> Scenarios { get; init; } = [];

    public IReadOnlyList<string> Subjects { get; init; } = [];

    /// <summary>Other builds of the command, to compare with.</summary>
    public IReadOnlyList<(string Name, string File)> Builds { get; init; } = [];

    public CoreSharing Cores { get; init; } = CoreSharing.Own;

    public int Rounds { get; init; } = MinRounds;

    public double Seconds { get; init; } = 3;

    public double WarmUpSeconds { get; init; } = WarmUp.MinSeconds;

    public double MaxWarmUpSeconds { get; init; } = WarmUp.MaxSeconds;

    /// <summary>How long streams of the cold burst stay open, and closed, before memory is read.</summary>
    public double SettleSeconds { get; init; } = 2;

    public bool IsQuick { get; init; }

    public string Name { get; init; } = "latest";

    public string Directory { get; init; } = Repository.Baselines;

    /// <param name="arguments">What the command line says.</param>
    /// <param name="defaults">What holds where it says nothing.</param>
    /// <exception cref="FormatException">An option is unknown, or its value is missing or no number.</exception>
    public static RunOptions Parse(IEnumerable<string> arguments, RunOptions? defaults = null)
    {
        string[] all = [.. arguments];
        RunOptions options = all.Contains("--quick") ? Quick() : defaults ?? new();
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
        MaxWarmUpSeconds = 0.2,
        SettleSeconds = 0.3,
        Name = "quick",
        Directory = Path.Combine(Path.GetTempPath(), "mcpproxyfast-bench"),
    };

    private static (string Name, string File) Build(string value) => value.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } file]
        ? (name, Path.GetFullPath(file))
        : throw new FormatException($"--build is NAME=FILE, not {value}.");

    private static CoreSharing CoresOf(string value) => Enum.TryParse(value, ignoreCase: true, out CoreSharing cores)
        ? cores
        : throw new FormatException($"--cores is own, one or two, not {value}.");

    // A quick run stays as short as it is asked to be; any other goes on until the subject is warm.
    private RunOptions WithWarmUp(double seconds) => this with
    {
        WarmUpSeconds = seconds,
        MaxWarmUpSeconds = IsQuick ? seconds : Math.Max(seconds, MaxWarmUpSeconds),
    };

    private RunOptions With(string name, string value) => name switch
    {
        "--scenarios" => this with { Scenarios = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--subjects" => this with { Subjects = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--build" => this with { Builds = [.. Builds, Build(value)] },
        "--before" => this with { Builds = [.. Builds, ("before", Path.GetFullPath(value))] },
        "--cores" => this with { Cores = CoresOf(value) },
        "--rounds" => this with { Rounds = int.Parse(value, CultureInfo.InvariantCulture) },
        "--seconds" => this with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
        "--warmup" => WithWarmUp(double.Parse(value, CultureInfo.InvariantCulture)),
        "--name" => this with { Name = value },
        "--out" => this with { Directory = Path.GetFullPath(value) },
        _ => throw new FormatException($"{name} is unknown."),
    };
}
