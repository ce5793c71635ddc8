namespace McpProxyFast.Serving;

/// <summary>A wait on something other than the two peers: a connection being made, a token being validated, a sign-in. Whoever cuts the exchange cancels it.</summary>
/// <remarks>The source has neither timer nor handle, so it need not be disposed; a waker may still hold it when the wait is over.</remarks>
internal sealed class ColdWait(Action over) : IDisposable
{
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    public void Cancel() => _source.Cancel();

    public void Dispose() => over();
}
