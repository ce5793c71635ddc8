using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>A small shell that kills the process group of an agent when this process has ended, even by SIGKILL. It is used on Linux only.</summary>
/// <remarks>
/// The system kills the agent when its parent dies, but not the programs that the agent has started. The shell reads the id of the group from a pipe that only
/// this process can write to. The pipe ends when this process ends, and the shell then kills the group. The shell has a session of its own and ignores the
/// signals to stop, so that a signal to this process's group does not end it.
/// </remarks>
internal sealed class AgentGuard : IAsyncDisposable
{
    /// <summary>
    /// The script that the shell runs. It reads lines until the pipe ends. Only the last line counts: the id of the process group, or nothing if no agent runs.
    /// </summary>
    public const string Script = """
        exec >/dev/null 2>&1
        trap '' HUP INT QUIT TERM
        group=
        while read -r next; do group=$next; done
        [ -z "$group" ] || kill -s KILL -- "-$group"
        """;

    /// <summary>How long the shell may take to end before it is killed.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The shell; null on systems other than Linux, and if it could not be started.</summary>
    private readonly Process? _shell;

    private AgentGuard(Process? shell) => _shell = shell;

    /// <summary>Starts the shell.</summary>
    public static AgentGuard Start()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new AgentGuard(null);
        }

        try
        {
            return new AgentGuard(Process.Start(AgentLauncher.StartForGuard()));
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return new AgentGuard(null); // then the agent cannot be started either, and that is logged
        }
    }

    /// <summary>Tells the shell which process group to kill when this process ends.</summary>
    /// <param name="group">The id of the group; null if no agent runs.</param>
    public void Watch(int? group)
    {
        try
        {
            _shell?.StandardInput.WriteLine(group?.ToString(CultureInfo.InvariantCulture) ?? "");
            _shell?.StandardInput.Flush();
        }
        catch (IOException)
        {
            // The shell has ended, or could not be started.
        }
    }

    /// <summary>Ends the shell. May be called only when no agent runs any more, since the shell kills the group that it was told last.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_shell is null)
        {
            return;
        }

        try
        {
            _shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // The shell has ended already.
        }

        await Task.WhenAny(_shell.WaitForExitAsync(), Task.Delay(EndTimeout));
        if (!_shell.HasExited)
        {
            _shell.Kill();
        }

        _shell.Dispose();
    }
}
