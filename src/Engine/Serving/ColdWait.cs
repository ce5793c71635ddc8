using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>A wait on something other than the two peers: a connection being made, a token being validated, a sign-in.</summary>
/// <remarks>What cuts the exchange cancels it, and may still hold it when the wait is over.</remarks>
/// <param name="over">Called when the wait is over.</param>
/// <param name="faults">Told what a host's hook, which is given the token, throws when it is cancelled.</param>
internal sealed class ColdWait(Action over, HookFaults faults) : IDisposable
{
    private readonly HookCancellation _cancellation = new(faults);

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Ends the wait, from any thread. Never throws, and runs nothing of a host's on this thread.</summary>
    public void Cancel() => _cancellation.Cancel();

    public void Dispose() => over();
}
