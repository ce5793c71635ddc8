namespace McpProxyFast.Wire.Tests.Support;

/// <summary>Lets the engine's event loop stand still at the end of the first exchange, so that a test decides what has come when it goes on.</summary>
internal sealed class StandingLoop(Reports reports) : IProxyObserver, IDisposable
{
    private readonly TaskCompletionSource _stands = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _goesOn = new();

    /// <summary>The loop stands.</summary>
    public Task Stands => _stands.Task.Soon();

    public void OnExchangeEnded(in ExchangeReport report)
    {
        reports.OnExchangeEnded(report);
        if (_stands.TrySetResult())
        {
            _goesOn.Wait(TimeSpan.FromSeconds(30));
        }
    }

    public void GoOn() => _goesOn.Set();

    public void Dispose()
    {
        _goesOn.Set();
        _goesOn.Dispose();
    }
}
