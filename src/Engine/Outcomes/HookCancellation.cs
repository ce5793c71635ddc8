namespace McpProxyFast.Outcomes;

/// <summary>Cancels the token that a host's hook was given. Callbacks that the hook registered run on another thread; their exceptions are logged.</summary>
/// <remarks>
/// <see cref="CancellationTokenSource.Cancel()"/> runs callbacks on its caller's thread, which here is an event loop or the heartbeat, and throws what they
/// throw. A source with a time limit of its own throws it on a timer's thread, which ends the process. So a hook's token is cancelled by this class only.
/// </remarks>
internal sealed class HookCancellation : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly HookFaults _faults;
    private readonly CancellationTokenRegistration _parent;
    private readonly ITimer? _limit;

    /// <param name="faults">Logs the exceptions of the hook's callbacks.</param>
    public HookCancellation(HookFaults faults) => _faults = faults;

    /// <param name="faults">Logs the exceptions of the hook's callbacks.</param>
    /// <param name="limit">After this time the token is cancelled.</param>
    /// <param name="clock">Measures the limit.</param>
    /// <param name="parent">A token whose cancellation cancels this one too.</param>
    public HookCancellation(HookFaults faults, TimeSpan limit, TimeProvider clock, CancellationToken parent)
        : this(faults)
    {
        _limit = clock.CreateTimer(static state => ((HookCancellation)state!).Cancel(), this, limit, Timeout.InfiniteTimeSpan);
        _parent = parent.UnsafeRegister(static state => ((HookCancellation)state!).Cancel(), this);
    }

    /// <summary>The token for the hook.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Cancels the token. Never throws, never runs a callback on this thread, and may be called at any time, also after the end.</summary>
    public void Cancel()
    {
        // The token is cancelled at once; only the callbacks run later.
        Task callbacks = _source.CancelAsync();
        if (!callbacks.IsCompletedSuccessfully)
        {
            _ = callbacks.ContinueWith(
                static (failed, state) => ((HookFaults)state!).Threw(Hook.Cancellation, failed.Exception!.Flatten().InnerExceptions[0]),
                _faults,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Stops the time limit. The token stays usable, since the hook may still hold it; its source has no timer or handle to dispose of.</summary>
    public void Dispose()
    {
        _limit?.Dispose();
        _parent.Unregister();
    }
}
