using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>A wait for something other than the two peers: a new connection, the verdict on a token, a sign-in. Cutting the exchange cancels it.</summary>
/// <remarks>Another thread may still cancel it after the wait has ended; that has no effect.</remarks>
internal sealed class SlowPathWait(Interrupts interrupts, HookFaults faults) : IDisposable
{
    private readonly HookCancellation _cancellation = new(faults);

    public CancellationToken Token => _cancellation.Token;

    public void Cancel() => _cancellation.Cancel();

    public void Dispose()
    {
        interrupts.EndSlowPathWait();
        _cancellation.Dispose();
    }
}
