using System.Diagnostics;
using System.Reflection;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>The built command as a process of its own, as a user starts it.</summary>
public sealed class Command : IAsyncDisposable
{
    /// <summary>How long a step may take on the slowest machine before the test fails.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Built =
        typeof(Command).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == nameof(Command)).Value!;

    private readonly Process _process;
    private readonly Task<string> _errors;

    private Command(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts the command with nothing of this process's own settings in its environment.</summary>
    public static Command Start(IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", [Built, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(IsOurs).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new Command(Process.Start(start)!);
    }

    /// <summary>Starts the command and waits for its end.</summary>
    public static async Task<Outcome> RunAsync(IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using Command command = Start(args, environment);
        return await command.EndAsync();
    }

    /// <summary>Reads stdout up to a line that contains <paramref name="text"/>.</summary>
    public async Task<string> LineAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The command ended without saying '{text}': {await _errors}");
    }

    /// <summary>Sends a signal, such as TERM.</summary>
    public async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("sh", ["-c", $"kill -{signal} {_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<Outcome> EndAsync()
    {
        string output = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return new Outcome(_process.ExitCode, output, await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static bool IsOurs(string name) => name.StartsWith("MCPPROXYFAST_", StringComparison.Ordinal) || name.StartsWith("TOOLHIVE_", StringComparison.Ordinal);
}
