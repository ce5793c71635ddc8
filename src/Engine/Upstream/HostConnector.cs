using System.IO.Pipelines;
using System.Net.Sockets;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Upstream;

/// <summary>Makes upstream connections by a host's own <see cref="McpProxyOptions.ConnectUpstream"/>: whatever that throws is a fault with an answer.</summary>
/// <param name="connect">The hook.</param>
/// <param name="timeout">For one connection.</param>
/// <param name="clock">Measures it.</param>
/// <param name="faults">Told what the hook threw that is not expected of it.</param>
internal sealed class HostConnector(Func<CancellationToken, ValueTask<IDuplexPipe>> connect, TimeSpan timeout, TimeProvider clock, HookFaults faults)
{
    /// <summary>Asks the host for a connection.</summary>
    /// <param name="cancel">The client went away, or the proxy is stopped.</param>
    public async ValueTask<ConnectResult> ConnectAsync(CancellationToken cancel)
    {
        using var ending = new HookCancellation(faults, timeout, clock, cancel);
        try
        {
            Task<IDuplexPipe> connecting = connect(ending.Token).AsTask();
            IDuplexPipe pipe = await InTimeAsync(connecting, ending.Token).ConfigureAwait(false)
                ?? throw new InvalidOperationException("ConnectUpstream gave no connection.");
            return new ConnectResult(NetworkStack.Over(pipe, null), FaultReason.None);
        }
        catch (Exception fault)
        {
            return new ConnectResult(null, ReasonOf(fault, cancel));
        }
    }

    /// <summary>Waits until the token is cancelled. A connection that comes later is not used, and is completed.</summary>
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
            var tooLate = new IOException("The connection came after its time.");
            await late.Input.CompleteAsync(tooLate).ConfigureAwait(false);
            await late.Output.CompleteAsync(tooLate).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The attempt has been answered as one that took too long; what came of it later changes nothing.
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
