using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using McpProxyFast.Cli.Lines;

namespace McpProxyFast.Cli;

/// <summary>
/// Handles signals: the first SIGINT, SIGTERM or SIGQUIT starts the drain, the second one ends the process at once. SIGHUP counts as one of them, except in the
/// verbs <c>proxy</c> and <c>tunnel</c>, which ignore it.
/// </summary>
/// <remarks>
/// A service manager sends SIGHUP so that settings are read again, and a terminal sends it when it is closed. The proxy cannot read settings again yet, and to
/// end it instead would cut every connection.
/// <para>
/// The handlers stay until the process has ended: a signal that comes after the last line of the verb must not change the exit code.
/// </para>
/// </remarks>
#pragma warning disable CA1001
internal sealed class StopSignals
#pragma warning restore CA1001
{
    /// <summary>All instances. A registration that the collector finds unreachable is finalized, and its signal then ends the process.</summary>
    private static readonly ConcurrentBag<StopSignals> Kept = [];

    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>How many signals that stop the process have come.</summary>
    private int _count;

    /// <param name="outlivesTerminal">Whether SIGHUP is ignored. Otherwise it stops the process as SIGTERM does.</param>
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
