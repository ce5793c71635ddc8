using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using McpProxyFast.Cli.Lines;

namespace McpProxyFast.Cli;

/// <summary>
/// Handles SIGINT, SIGTERM and SIGQUIT: the first one starts the drain, the second one ends the process at once. SIGHUP does not end the proxy.
/// </summary>
/// <remarks>
/// A service manager sends SIGHUP so that settings are read again, and a terminal sends it when it is closed. Reading settings again is not supported yet, and
/// ending the proxy instead would cut every connection.
/// <para>
/// It is not disposed of: a signal that comes while the process ends, even behind the last line of the verb, must not change the exit code.
/// </para>
/// </remarks>
#pragma warning disable CA1001
internal sealed class StopSignals
#pragma warning restore CA1001
{
    /// <summary>All that there are. What is not reachable would be finalized, and its signals would end the process.</summary>
    private static readonly ConcurrentBag<StopSignals> Kept = [];

    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>How many signals to stop have come.</summary>
    private int _count;

    /// <param name="outlivesTerminal">Whether SIGHUP is ignored, so that it does not end the process.</param>
    public StopSignals(bool outlivesTerminal = false)
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, outlivesTerminal ? GoOn : Stop),
        ];
        Kept.Add(this);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stopping => _stopping.Token;

    private static void GoOn(PosixSignalContext context)
    {
        context.Cancel = true;
        Standard.Errors.Write("mcpproxyfast: SIGHUP does not reload settings in this version; restart to change them");
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 1)
        {
            _stopping.Cancel();
        }
        else
        {
            Standard.Flush();
            Environment.Exit(ExitCode.Stopped);
        }
    }
}
