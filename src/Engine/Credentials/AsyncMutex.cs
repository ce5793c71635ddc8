namespace McpProxyFast.Credentials;

/// <summary>Runs attempts, such as sign-ins, one after another. An attempt runs to its end, even if the request that asked for it has been cancelled.</summary>
/// <remarks>The attempts themselves check first whether an earlier one has already done their work. So if many requests wait, the work is done once.</remarks>
internal sealed class AsyncMutex : IAsyncDisposable
{
    /// <summary>Held by the running attempt.</summary>
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    /// <summary>Cancelled on disposal, which cancels the running attempt and all that wait.</summary>
    private readonly CancellationTokenSource _lifetime = new();

    /// <summary>Whether an attempt is running.</summary>
    public bool IsTaken => _semaphore.CurrentCount == 0;

    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> attempt)
    {
        CancellationToken lifetime = _lifetime.Token;
        await _semaphore.WaitAsync(lifetime).ConfigureAwait(false);
        try
        {
#pragma warning disable RS0030 // An attempt reads files, decrypts the store and signs, so it does not run on the caller's thread, which serves sockets.
            return await Task.Run(() => attempt(lifetime), lifetime).ConfigureAwait(false);
#pragma warning restore RS0030
        }
        finally
        {
            _semaphore.Release();
        }
    }

    /// <summary>Cancels the attempt that is running and those that wait for the mutex. Returns when the running one has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync().ConfigureAwait(false);
        await _semaphore.WaitAsync().ConfigureAwait(false);
        _lifetime.Dispose();
    }
}
