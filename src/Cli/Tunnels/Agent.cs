using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>One run of an agent, a child process that ends when this process does, however that ends.</summary>
/// <remarks>
/// .NET runs no code of ours between fork and exec, so the child is this very program once more (<see cref="AgentLauncher"/>), which ties itself to its parent
/// and then becomes the agent. The tie is to the thread that forked, not to the process: so that is a thread of the agent's own, which waits for its end.
/// </remarks>
internal sealed class Agent : IDisposable
{
    private const int Terminate = 15; // SIGTERM

    /// <summary>The thread's stack: it starts a process and waits.</summary>
    private const int StackBytes = 256 * 1024;

    /// <summary>How long an agent that was told to end may take before it is killed.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long its last lines are waited for: a process of its own may hold the pipes open.</summary>
    private static readonly TimeSpan LastLinesTimeout = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Agent(ProcessStartInfo start) => _process = new Process { StartInfo = start };

    /// <summary>Starts an agent.</summary>
    /// <param name="program">The program's path.</param>
    /// <param name="command">What it is started with.</param>
    /// <exception cref="Win32Exception">The system does not start it.</exception>
    public static async Task<Agent> StartAsync(string program, AgentCommand command)
    {
        var agent = new Agent(AgentLauncher.StartFor(program, command));
        new Thread(agent.Run, StackBytes) { IsBackground = true, Name = "agent" }.Start();
        await agent._started.Task;
        return agent;
    }

    /// <summary>Hands over its lines, of both streams, until it has ended.</summary>
    /// <param name="said">Called for each line, by one caller at a time.</param>
    /// <returns>Its exit code.</returns>
    public async Task<int> RunAsync(Action<string> said)
    {
        var gate = new Lock();
        void Say(string line)
        {
            lock (gate)
            {
                said(line);
            }
        }

        Task reading = Task.WhenAll(
            AgentLines.ReadAsync(_process.StandardOutput, Say),
            AgentLines.ReadAsync(_process.StandardError, Say));
        int code = await _ended.Task;
        await Task.WhenAny(reading, Task.Delay(LastLinesTimeout));
        return code;
    }

    /// <summary>Tells it to end, and kills it where it does not.</summary>
    public async Task StopAsync()
    {
        if (OperatingSystem.IsWindows())
        {
            _process.StandardInput.Close(); // the launcher sees it
        }
        else if (!_ended.Task.IsCompleted)
        {
            _ = Kill(_process.Id, Terminate);
        }

        if (await Task.WhenAny(_ended.Task, Task.Delay(EndTimeout)) != _ended.Task)
        {
            _process.Kill(entireProcessTree: true);
            await _ended.Task;
        }
    }

    public void Dispose() => _process.Dispose();

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private void Run()
    {
        try
        {
            _process.Start();
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            _started.SetException(e);
            return;
        }

        _started.SetResult();
        _process.WaitForExit();
        _ended.SetResult(_process.ExitCode);
    }
}
