using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>
/// A wait on something other than the two peers: a connection being made, a token being validated, a sign-in. A cut of the exchange cancels it.
/// </summary>
/// <remarks>Another thread may still hold it when the wait is over, and cancel it in vain.</remarks>
internal sealed class ColdWait(Interrupts interrupts, HookFaults faults) : IDisposable
{
    private readonly HookCancellation _cancellation = new(faults);

    public CancellationToken Token => _cancellation.Token;

    public void Cancel() => _cancellation.Cancel();

    public void Dispose()
    {
        interrupts.EndColdWait();
        _cancellation.Dispose();
    }
}
