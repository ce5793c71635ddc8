using System.Diagnostics;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>A program, its arguments, and what its environment has beyond ours.</summary>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>A role of this very program, in a process of its own.</summary>
    public static Command Role(params IReadOnlyList<string> arguments) =>
        new(Path.Combine(AppContext.BaseDirectory, "McpProxyFast.EndToEnd"), arguments);

    /// <summary>The same on the cores given, as <c>taskset</c> writes them; null for all. <c>taskset</c> replaces itself, so the process id is the command's.</summary>
    public Command On(string? cores) => cores is null ? this : this with { Program = "taskset", Arguments = ["-c", cores, Program, .. Arguments] };

    /// <summary>Whether a program of that name is on the path.</summary>
    public static bool IsInstalled(string program) => SearchPath().Any(folder => File.Exists(Path.Combine(folder, program)));

    // Debian keeps nginx and haproxy in sbin, which is not on every user's path.
    public static string Find(string program) =>
        SearchPath().Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists, program);

    private static IEnumerable<string> SearchPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Append("/usr/sbin").Append("/usr/local/sbin");

    /// <summary>Runs it to its end and returns what it wrote, on both outputs.</summary>
    public string Output()
    {
        var start = new ProcessStartInfo(Program, Arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (output + errors.Result).Trim();
    }
}
