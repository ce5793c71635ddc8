namespace McpProxyFast.Outcomes;

/// <summary>Cancels the token of a host's hook: what the hook has registered on it runs elsewhere, and what that throws is told and harms nothing.</summary>
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

    /// <param name="faults">Gets what the hook's callbacks throw.</param>
    public HookCancellation(HookFaults faults) => _faults = faults;

    /// <param name="faults">Gets what the hook's callbacks throw.</param>
    /// <param name="limit">Cancelled after this.</param>
    /// <param name="clock">Measures the limit.</param>
    /// <param name="parent">Cancelled with this one.</param>
    public HookCancellation(HookFaults faults, TimeSpan limit, TimeProvider clock, CancellationToken parent)
        : this(faults)
    {
        _limit = clock.CreateTimer(static state => ((HookCancellation)state!).Cancel(), this, limit, Timeout.InfiniteTimeSpan);
        _parent = parent.UnsafeRegister(static state => ((HookCancellation)state!).Cancel(), this);
    }

    /// <summary>What the hook is given.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Cancels the token. Never throws, never runs a callback on this thread, and may be called at any time, also after the end.</summary>
    public void Cancel()
    {
        // Seen by the token at once; only the callbacks run later.
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

    /// <summary>Ends the limit. The token stays as it is: the hook may still hold it, and its source has no timer or handle to be given back.</summary>
    public void Dispose()
    {
        _limit?.Dispose();
        _parent.Unregister();
    }
}
