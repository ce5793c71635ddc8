namespace McpProxyFast.Wire.Tests.Support;

/// <summary>Lets the engine's event loop stand still at the end of the first exchange, so that a test decides what has come when it goes on.</summary>
internal sealed class StandingLoop : IDisposable
{
    private readonly TaskCompletionSource _stands = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _goesOn = new();

    public StandingLoop(Reports reports) => reports.Told = Stand;

    /// <summary>The loop stands.</summary>
    public Task Stands => _stands.Task.Soon();

    public void GoOn() => _goesOn.Set();

    public void Dispose()
    {
        _goesOn.Set();
        _goesOn.Dispose();
    }

    private void Stand()
    {
        if (_stands.TrySetResult())
        {
            _goesOn.Wait(Patience.Limit);
        }
    }
}
