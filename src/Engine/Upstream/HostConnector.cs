using System.IO.Pipelines;
using System.Net.Sockets;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Upstream;

/// <summary>
/// Gets upstream connections from a host program's own <see cref="McpProxyOptions.ConnectUpstream"/>. If that throws or takes too long, the client gets an
/// error reply.
/// </summary>
/// <param name="connect">The host program's function.</param>
/// <param name="timeout">The time limit for one call. When it is reached, the call's token is cancelled.</param>
/// <param name="clock">Measures the limit.</param>
/// <param name="faults">Logs exceptions that do not report a failed, late or cancelled connect, such as an ArgumentException.</param>
internal sealed class HostConnector(Func<CancellationToken, ValueTask<IDuplexPipe>> connect, TimeSpan timeout, TimeProvider clock, HookFaults faults)
{
    /// <summary>Asks the host program for a connection.</summary>
    /// <param name="cancel">Cancelled if the client disconnects or the proxy stops.</param>
    public async ValueTask<ConnectResult> ConnectAsync(CancellationToken cancel)
    {
        using var ending = new HookCancellation(faults, timeout, clock, cancel);
        try
        {
            Task<IDuplexPipe> connecting = connect(ending.Token).AsTask();
            IDuplexPipe pipe = await InTimeAsync(connecting, ending.Token).ConfigureAwait(false)
                ?? throw new InvalidOperationException("ConnectUpstream returned null instead of a connection.");
            return new ConnectResult(NetworkStack.Over(pipe, null), FaultReason.None);
        }
        catch (Exception fault)
        {
            return new ConnectResult(null, ReasonOf(fault, cancel));
        }
    }

    /// <summary>Waits for the connection until the token is cancelled. A connection that comes later is completed with an exception and not used.</summary>
    private static async Task<IDuplexPipe> InTimeAsync(Task<IDuplexPipe> connecting, CancellationToken ending)
    {
        try
        {
            return await connecting.WaitAsync(ending).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!connecting.IsCompleted)
        {
            _ = CompleteLateAsync(connecting);
            throw;
        }
    }

    private static async Task CompleteLateAsync(Task<IDuplexPipe> connecting)
    {
        try
        {
            IDuplexPipe late = await connecting.ConfigureAwait(false);
            var tooLate = new IOException("ConnectUpstream returned a connection after the time limit for connecting.");
            await late.Input.CompleteAsync(tooLate).ConfigureAwait(false);
            await late.Output.CompleteAsync(tooLate).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The call was given up before, so its result has no effect any more.
        }
    }

    private FaultReason ReasonOf(Exception fault, CancellationToken cancel)
    {
        switch (fault)
        {
            case OperationCanceledException when cancel.IsCancellationRequested:
                return FaultReason.ClientGone;
            case OperationCanceledException or TimeoutException:
                return FaultReason.UpstreamConnectTimeout;
            case IOException or SocketException:
                return FaultReason.UpstreamUnreachable;
            default:
                faults.Threw(Hook.ConnectUpstream, fault);
                return FaultReason.UpstreamUnreachable;
        }
    }
}
