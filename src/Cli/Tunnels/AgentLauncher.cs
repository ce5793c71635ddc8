using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.OAuth.Browser;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The hidden verb that starts an agent so that it cannot outlive the proxy.</summary>
/// <remarks>
/// On Linux the launcher asks the system to be killed when its parent dies, then replaces itself with the agent. The programs that the agent starts are killed
/// by an <see cref="AgentGuard"/>, which is started through this verb too. On other systems the launcher keeps running as the agent's parent. It stops the
/// agent when its own stdin ends, since only the proxy holds the other end of that pipe.
/// </remarks>
internal static class AgentLauncher
{
    /// <summary>
    /// The verb, which the help does not show: <c>launch-agent MODE PARENT PROGRAM [ARGUMENT]…</c> or <c>launch-agent guard</c>. PARENT is the proxy's process
    /// id.
    /// </summary>
    public const string Verb = "launch-agent";

    private const string Become = "become";
    private const string Watch = "watch";
    private const string Guard = "guard";

    private const string Shell = "/bin/sh";

    /// <summary>The exit code if the program cannot be started. Shells use it for a program that exists but cannot be run.</summary>
    private const int CannotStart = 126;

    private const int ParentDeathSignal = 1; // PR_SET_PDEATHSIG
    private const int KillSignal = 9; // SIGKILL
    private const int TerminateSignal = 15; // SIGTERM
    private const int BrokenPipeSignal = 13; // SIGPIPE

    /// <summary>How long the agent may take to exit after SIGTERM, when its parent has died, before it is killed.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Returns how to start the launcher for an agent.</summary>
    public static ProcessStartInfo StartFor(string program, AgentCommand command)
    {
        string mode = OperatingSystem.IsLinux() ? Become : Watch;
        ProcessStartInfo start = StartSelf([mode, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), program, .. command.Arguments]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach ((string name, string value) in command.Variables)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>Returns how to start the launcher for an <see cref="AgentGuard"/>.</summary>
    public static ProcessStartInfo StartForGuard() => StartSelf([Guard]);

    private static ProcessStartInfo StartSelf(string[] arguments)
    {
        string self = Environment.ProcessPath ?? throw new InvalidOperationException("the command does not know its own path");
        bool isHosted = Path.GetFileNameWithoutExtension(self).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        var start = new ProcessStartInfo(self) { RedirectStandardInput = true, CreateNoWindow = true };
        foreach (string argument in isHosted ? [Environment.GetCommandLineArgs()[0], Verb, .. arguments] : (string[])[Verb, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        // Secrets of the proxy are removed. The secret that an agent needs is added later, in a variable of its own.
        ChildEnvironment.Hide(start.Environment, HeldSecrets.All);
        return start;
    }

    /// <summary>Runs the launcher.</summary>
    /// <param name="args">The arguments, starting with the verb.</param>
    /// <returns>The exit code for this process. On Linux the method returns only if the program could not be started.</returns>
    public static int Run(string[] args)
    {
        if (args is [_, Guard] && OperatingSystem.IsLinux())
        {
            _ = NewSession();
            return Execute(Shell, ["-c", AgentGuard.Script]);
        }

        if (args is not [_, Become or Watch, var parent, var program, .. var rest]
            || !int.TryParse(parent, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
        {
            Standard.Errors.Write($"mcpproxyfast: {Verb} is an internal verb; use tunnel");
            Standard.Flush();
            return ExitCode.WrongUse;
        }

        if (!OperatingSystem.IsWindows())
        {
            // Ctrl-C signals every process of the terminal session. The agent must keep running until the proxy is drained, so it gets its own session.
            _ = NewSession();
        }

        return args[1] == Become ? BecomeAgent(id, program, rest) : WatchAgent(program, rest);
    }

    private static int BecomeAgent(int parent, string program, string[] arguments)
    {
        if (ProcessControl(ParentDeathSignal, KillSignal, 0, 0, 0) != 0)
        {
            return Fail(program, "the system cannot make it end with its parent process");
        }

        // The parent may have died before the call above, which then has no effect.
        if (ParentId() != parent)
        {
            return ExitCode.Failed;
        }

        return Execute(program, arguments);
    }

    /// <returns>The exit code if the program cannot be started. Otherwise the program replaces this process.</returns>
    private static int Execute(string program, string[] arguments)
    {
        // The runtime ignores SIGPIPE, and exec would keep that for the program.
        _ = Signal(BrokenPipeSignal, 0);
        nint[] texts = [.. arguments.Prepend(program).Select(Marshal.StringToCoTaskMemUTF8), 0];
        _ = ReplaceSelf(texts[0], texts);
        return Fail(program, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
    }

    private static int WatchAgent(string program, string[] arguments)
    {
        using var agent = new Process { StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true } };
        try
        {
            agent.Start();
        }
        catch (Win32Exception e)
        {
            return Fail(program, e.Message);
        }

        agent.StandardInput.Close();
        using PosixSignalRegistration? told = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            _ = Kill(agent.Id, TerminateSignal);
        });
        new Thread(() => EndWithParent(agent)) { IsBackground = true, Name = "parent" }.Start();
        agent.WaitForExit();
        return agent.ExitCode;
    }

    private static void EndWithParent(Process agent)
    {
        using Stream input = Console.OpenStandardInput();
        while (input.Read(new byte[64]) > 0)
        {
            // The proxy writes nothing to this pipe. Only its end matters.
        }

        try
        {
            if (!OperatingSystem.IsWindows())
            {
                _ = Kill(agent.Id, TerminateSignal);
                _ = agent.WaitForExit(EndTimeout);
            }

            agent.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // The agent has already exited.
        }
    }

    private static int Fail(string program, string why)
    {
        Standard.Errors.Write($"mcpproxyfast: {program} cannot be started: {why}");
        Standard.Flush();
        return CannotStart;
    }

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ProcessControl(int option, nint first, nint second, nint third, nint fourth);

    [DllImport("libc", EntryPoint = "getppid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ParentId();

    [DllImport("libc", EntryPoint = "setsid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewSession();

    [DllImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Signal(int number, nint handler);

    [DllImport("libc", EntryPoint = "execv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ReplaceSelf(nint path, nint[] arguments);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
