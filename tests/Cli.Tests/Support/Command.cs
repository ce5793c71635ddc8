using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Threading.Channels;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>The built command as a process of its own, as a user starts it.</summary>
public sealed class Command : IAsyncDisposable
{
    private static readonly string Built =
        typeof(Command).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == nameof(Command)).Value!;

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Channel<string> _errorLines = Channel.CreateUnbounded<string>();

    private Command(Process process)
    {
        _process = process;
        _errors = ReadErrorsAsync();
    }

    /// <summary>Starts the command with nothing of this process's own settings in its environment.</summary>
    public static Command Start(IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(new ProcessStartInfo("dotnet", [Built, .. args]), environment);

    /// <summary>Starts the command with a bound on the descriptors that it can have open.</summary>
    public static Command StartWithDescriptors(int most, params string[] args) =>
        Start(new ProcessStartInfo("sh", ["-c", "ulimit -n $0 && exec dotnet \"$@\"", $"{most}", Built, .. args]), null);

    /// <summary>Starts the command with its streams sent elsewhere, by redirections as a shell reads them.</summary>
    /// <param name="redirections">Such as <c>2>/dev/full</c>; statements may stand before, each closed by a semicolon.</param>
    /// <param name="args">The command's arguments.</param>
    public static Command StartWithStreams(string redirections, params string[] args)
    {
        int last = redirections.LastIndexOf(';') + 1;
        return Start(new ProcessStartInfo("sh", ["-c", $"{redirections[..last]} exec dotnet \"$0\" \"$@\" {redirections[last..]}", Built, .. args]), null);
    }

    /// <summary>How the command is started, for a test that runs it in a way of its own.</summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> args) => new("dotnet", [Built, .. args]);

    /// <summary>The command as a shell starts it, without arguments.</summary>
    public static string Shell => $"dotnet '{Built}'";

    /// <summary>Starts the command with a stdin that the test writes to.</summary>
    public static Command StartWithInput(IEnumerable<string> args, out StreamWriter input, IReadOnlyDictionary<string, string>? environment = null)
    {
        Command command = Start(new ProcessStartInfo("dotnet", [Built, .. args]) { RedirectStandardInput = true }, environment);
        input = command._process.StandardInput;
        return command;
    }

    /// <summary>Starts the command, writes to its stdin, ends that, and waits for the end.</summary>
    public static async Task<Outcome> RunWithInputAsync(string text, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using Command command = StartWithInput(args, out StreamWriter input, environment);
        await input.WriteAsync(text);
        input.Close();
        return await command.EndAsync();
    }

    private static Command Start(ProcessStartInfo start, IReadOnlyDictionary<string, string>? environment)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
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

    /// <summary>Starts the command, gives it all of its stdin, and waits for its end.</summary>
    public static async Task<Outcome> RunWithInputAsync(byte[] input, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using Command command = Start(new ProcessStartInfo("dotnet", [Built, .. args]) { RedirectStandardInput = true }, environment);
        try
        {
            await command._process.StandardInput.BaseStream.WriteAsync(input);
            command._process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without reading, which its outcome tells.
        }

        return await command.EndAsync();
    }

    /// <summary>Starts a command line as a shell reads it, the command standing in it as <c>thv</c>.</summary>
    public static Command StartAsShell(string commandLine, IReadOnlyDictionary<string, string> environment) =>
        Start(new ProcessStartInfo("sh", ["-c", commandLine.Replace("thv ", "exec dotnet \"$0\" ", StringComparison.Ordinal), Built]), environment);

    /// <summary>The number of the command's process.</summary>
    public int Id => _process.Id;

    /// <summary>What a list of processes shows of the command.</summary>
    public string Arguments => File.ReadAllText($"/proc/{_process.Id}/cmdline").Replace('\0', ' ');

    /// <summary>Reads stdout up to a line that contains <paramref name="text"/>.</summary>
    public async Task<string> LineAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync().Soon() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The command ended without saying '{text}': {await _errors}");
    }

    /// <summary>Waits for a line on stderr that contains <paramref name="text"/>.</summary>
    public async Task ErrorLineAsync(string text)
    {
        while (!(await _errorLines.Reader.ReadAsync().Soon()).Contains(text, StringComparison.Ordinal))
        {
            // Another line.
        }
    }

    /// <summary>Waits until the command listens, and says where: for one whose stdout cannot say it.</summary>
    public async Task<int> ListeningPortAsync()
    {
        int? port = null;
        await Patience.UntilAsync(() => _process.HasExited || (port = FindListeningPort()) is not null, "The command does not listen.");
        return port ?? throw new InvalidOperationException($"The command ended with {_process.ExitCode}: {await _errors}");
    }

    /// <summary>Sends a signal, such as TERM.</summary>
    public async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("sh", ["-c", $"kill -{signal} {_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>The number of the highest descriptor that the command has open.</summary>
    public int HighestDescriptor => Directory.EnumerateFileSystemEntries($"/proc/{_process.Id}/fd").Max(path => int.Parse(Path.GetFileName(path)));

    /// <summary>Changes the bound on descriptors while the command runs.</summary>
    public async Task LimitDescriptorsAsync(int most)
    {
        using Process prlimit = Process.Start("prlimit", ["--pid", $"{_process.Id}", $"--nofile={most}:"]);
        await prlimit.WaitForExitAsync();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<Outcome> EndAsync()
    {
        string output = await _process.StandardOutput.ReadToEndAsync().Soon();
        await _process.WaitForExitAsync().Soon();
        return new Outcome(_process.ExitCode, output, await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>The port of the TCP socket that is one of the command's descriptors and listens (proc(5)); null for none.</summary>
    private int? FindListeningPort()
    {
        HashSet<string> inodes =
        [
            .. Directory.EnumerateFileSystemEntries($"/proc/{_process.Id}/fd")
                .Select(path => new FileInfo(path).LinkTarget ?? "")
                .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
                .Select(target => target["socket:[".Length..^1]),
        ];
        string? line = File.ReadLines($"/proc/{_process.Id}/net/tcp").Skip(1)
            .FirstOrDefault(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is var parts && parts[3] == "0A" && inodes.Contains(parts[9]));
        return line is null ? null : Convert.ToInt32(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Split(':')[1], 16);
    }

    private async Task<string> ReadErrorsAsync()
    {
        var all = new StringBuilder();
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            all.Append(line).Append('\n');
            _errorLines.Writer.TryWrite(line);
        }

        _errorLines.Writer.Complete();
        return all.ToString();
    }

    private static bool IsOurs(string name) => name.StartsWith("MCPPROXYFAST_", StringComparison.Ordinal) || name.StartsWith("TOOLHIVE_", StringComparison.Ordinal);
}
