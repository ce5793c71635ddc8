namespace McpProxyFast.Outcomes;

/// <summary>
/// Cancels the token that a hook of the host program was given. Callbacks that the hook has registered on the token run on another thread, and their exceptions
/// are logged.
/// </summary>
/// <remarks>
/// <see cref="CancellationTokenSource.Cancel()"/> runs callbacks on its caller's thread, which here may be a thread that serves connections, and throws their
/// exceptions. <see cref="CancellationTokenSource.CancelAfter(TimeSpan)"/> throws them on a timer's thread, which ends the process. So only this class cancels
/// the tokens of hooks.
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
    /// <param name="limit">The time after which the token is cancelled.</param>
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

    /// <summary>Cancels the token. Does not throw, and runs no callback on this thread. May be called at any time, also after <see cref="Dispose"/>.</summary>
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

    /// <summary>
    /// Stops the timer of the limit. The token's source is not disposed of, since the hook may still use the token. The source has no timer and no handle, so
    /// nothing leaks.
    /// </summary>
    public void Dispose()
    {
        _limit?.Dispose();
        _parent.Unregister();
    }
}
