using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>Sees to it that what the tests start can be told to stop.</summary>
/// <remarks>
/// A shell starts background jobs with SIGINT and SIGQUIT ignored, and <c>nohup</c> does so with SIGHUP. Such a process passes this on to its children, and the
/// command, like any program, leaves ignored signals ignored: a test that sends one would wait in vain.
/// </remarks>
internal static partial class Signals
{
    /// <summary>Those that the tests send: SIGHUP, SIGINT, SIGQUIT, SIGTERM. The numbers are the same on every Unix.</summary>
    private static readonly int[] Sent = [1, 2, 3, 15];

    private const nint Default = 0;
    private const nint Ignored = 1;

    /// <summary>Gives signals that this process was started with ignored their default meaning. Others, which the runtime may handle, stay.</summary>
    [ModuleInitializer]
    internal static void HeedIgnored()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        foreach (int signal in Sent)
        {
            // The handler is the first member of `struct sigaction` on Linux and macOS; the rest is far smaller than this.
            nint[] action = new nint[64];
            if (ReadAction(signal, 0, action) == 0 && action[0] == Ignored)
            {
                SetHandler(signal, Default);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int ReadAction(int signal, nint action, [Out] nint[] before);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}
