using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>
/// One run of an agent (the program of a tunnel provider, such as ngrok): a child process that ends whenever this process ends, even by SIGKILL.
/// </summary>
/// <remarks>
/// .NET cannot run code between fork and exec. So the child is this program again (<see cref="AgentLauncher"/>): it asks the system to be killed when its
/// parent dies, then becomes the agent by exec. On Linux the parent is the thread that forked. So each agent is started by a thread of its own, which then
/// waits for the agent to exit.
/// </remarks>
internal sealed class Agent : IDisposable
{
    private const int Terminate = 15; // SIGTERM
    private const int KillSignal = 9; // SIGKILL

    /// <summary>Stack size of the thread, which only starts a process and waits.</summary>
    private const int StackBytes = 256 * 1024;

    /// <summary>How long the agent may take to exit after SIGTERM before it is killed.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait for the last lines after the agent has exited. A child of the agent may keep the pipes open.</summary>
    private static readonly TimeSpan LastLinesTimeout = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Agent(ProcessStartInfo start) => _process = new Process { StartInfo = start };

    /// <summary>The id of the agent's process, and on Linux of its process group.</summary>
    public int Id => _process.Id;

    /// <summary>Starts an agent.</summary>
    /// <param name="program">The program's path.</param>
    /// <param name="command">The arguments and environment variables that it is started with.</param>
    /// <exception cref="Win32Exception">The system cannot start the program.</exception>
    public static async Task<Agent> StartAsync(string program, AgentCommand command)
    {
        var agent = new Agent(AgentLauncher.StartFor(program, command));
        new Thread(agent.Run, StackBytes) { IsBackground = true, Name = "agent" }.Start();
        await agent._started.Task;
        return agent;
    }

    /// <summary>Reads the lines of stdout and stderr until the agent has exited.</summary>
    /// <param name="said">Called for each line; calls never overlap.</param>
    /// <returns>The agent's exit code.</returns>
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
        bool isAlone = !TrySignalGroup(Terminate);
        await Task.WhenAny(reading, Task.Delay(LastLinesTimeout));
        _ = isAlone || TrySignalGroup(KillSignal);
        return code;
    }

    /// <summary>Sends SIGTERM to the agent and to the programs that it has started, and SIGKILL if the agent does not exit in time.</summary>
    public async Task StopAsync()
    {
        if (OperatingSystem.IsWindows())
        {
            _process.StandardInput.Close(); // the launcher notices the end of its stdin, and stops the agent
        }
        else if (!_ended.Task.IsCompleted && !TrySignalGroup(Terminate))
        {
            _ = Kill(_process.Id, Terminate);
        }

        if (await Task.WhenAny(_ended.Task, Task.Delay(EndTimeout)) != _ended.Task)
        {
            _ = TrySignalGroup(KillSignal);
            _process.Kill(entireProcessTree: true);
            await _ended.Task;
        }
    }

    public void Dispose() => _process.Dispose();

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    /// <summary>
    /// Signals the agent and the programs that it has started. An agent may be a script that starts the real agent, which must not keep running.
    /// </summary>
    /// <remarks>
    /// On Linux the agent starts a session, and so a process group whose id is the agent's process id. The system does not reuse that id while a process of the
    /// group runs.
    /// </remarks>
    /// <returns>Whether a process of the group still runs.</returns>
    private bool TrySignalGroup(int signal) => OperatingSystem.IsLinux() && Kill(-_process.Id, signal) == 0;

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
