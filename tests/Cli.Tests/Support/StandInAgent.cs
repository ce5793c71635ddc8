using System.Globalization;
using McpProxyFast.Authorization.Tests.Outgoing.Support;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>A program of the tests' own by an agent's name: it keeps what it was started with, says what the agent would say, and stays until a signal.</summary>
public sealed class StandInAgent : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <param name="name">The agent's, such as <c>ngrok</c>.</param>
    /// <param name="output">What it prints on each start, on stderr; with <c>RUN</c> for the number of the start.</param>
    /// <param name="end">What it does then, as a shell reads it.</param>
    public StandInAgent(string name, string output, string end = "exec sleep 3600")
    {
        File.WriteAllText(Path.Combine(Folder, "output"), output);
        Program = Path.Combine(Folder, name);
        File.WriteAllText(Program, $"""
            #!/bin/sh
            cd '{Folder}'
            touch starting
            printf '%s\n' "$@" > arguments.$$
            env > environment.$$
            echo $$ >> started
            sed "s/RUN/$(wc -l < started)/" output >&2
            {end}

            """);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    /// <summary>The path of the program.</summary>
    public string Program { get; }

    private string Folder => _folder.Path;

    /// <summary>Whether it has been started at all.</summary>
    public bool WasStarted => File.Exists(Path.Combine(Folder, "starting"));

    /// <summary>The command's environment, in which this is the agent on the PATH.</summary>
    public Dictionary<string, string> Environment(params (string Name, string Value)[] more)
    {
        var variables = more.ToDictionary(variable => variable.Name, variable => variable.Value);
        variables["PATH"] = $"{Folder}:{System.Environment.GetEnvironmentVariable("PATH")}";
        return variables;
    }

    /// <summary>Waits for the start of that number.</summary>
    /// <returns>The process's number.</returns>
    public async Task<int> StartedAsync(int run = 1)
    {
        string[] lines = [];
        await Patience.UntilAsync(
            () => File.Exists(Path.Combine(Folder, "started")) && (lines = File.ReadAllLines(Path.Combine(Folder, "started"))).Length >= run,
            $"The agent is not started for time {run}.");
        return int.Parse(lines[run - 1], CultureInfo.InvariantCulture);
    }

    /// <summary>The arguments that a process got.</summary>
    public string[] ArgumentsOf(int process) => File.ReadAllLines(Path.Combine(Folder, $"arguments.{process}"));

    /// <summary>The environment that a process got, as <c>NAME=VALUE</c>.</summary>
    public string[] EnvironmentOf(int process) => File.ReadAllLines(Path.Combine(Folder, $"environment.{process}"));

    /// <summary>Waits until a process has ended.</summary>
    public static Task GoneAsync(int process) => Patience.UntilAsync(() => !IsAlive(process), "The process does not end.");

    /// <summary>The processes that have not ended (proc(5)): the number of each, of its parent and of its group.</summary>
    public static IEnumerable<(int Number, int Parent, int Group)> Processes() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0)
        .Where(number => number > 0)
        .Select(number => (Number: number, Stat: StatOf(number)))
        .Where(each => each.Stat is not ([] or ["Z", ..]))
        .Select(each => (each.Number, NumberIn(each.Stat[1]), NumberIn(each.Stat[2])));

    public void Dispose() => _folder.Dispose();

    /// <summary>A process that has ended and that nobody has asked for yet is a Z.</summary>
    private static bool IsAlive(int process) => StatOf(process) is not ([] or ["Z", ..]);

    /// <summary>What the system says of a process behind its name: state, parent, group and more; empty if it has ended.</summary>
    private static string[] StatOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static int NumberIn(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
