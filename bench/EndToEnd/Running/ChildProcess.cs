using System.Diagnostics;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>A process of the run, on the cores given to it; ended with its own children when disposed.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int KeptLines = 60;

    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();

    private ChildProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The end of what it wrote, to say why it failed.</summary>
    public string LastOutput
    {
        get
        {
            lock (_lastLines)
            {
                return string.Join('\n', _lastLines);
            }
        }
    }

    /// <param name="command">What to start.</param>
    /// <param name="cores">The cores it may use, as <c>taskset</c> writes them; null for all.</param>
    public static ChildProcess Start(Command command, string? cores)
    {
        Command pinned = command.On(cores);
        var start = new ProcessStartInfo(pinned.Program, pinned.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in command.Variables)
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start)!);
    }

    public void Tell(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>The next line of its output; null at the end of it.</summary>
    public async Task<string?> ReadLineAsync(TimeSpan within)
    {
        using var timeout = new CancellationTokenSource(within);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No answer came from {_process.StartInfo.FileName} within {within.TotalSeconds:F0} s.");
        }
    }

    /// <summary>Keeps what it writes from here on, so that it never waits for a reader.</summary>
    public void KeepOutput() => _process.BeginOutputReadLine();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > KeptLines)
            {
                _lastLines.Dequeue();
            }
        }
    }
}
