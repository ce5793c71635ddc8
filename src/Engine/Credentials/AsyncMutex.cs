namespace McpProxyFast.Credentials;

/// <summary>Runs attempts one after the other, each to its end even when the request that asked for it has gone.</summary>
/// <remarks>Each attempt first looks whether an earlier one has already done its work, so that for many who wait the work is done once.</remarks>
internal sealed class AsyncMutex : IAsyncDisposable
{
    /// <summary>Held by the attempt that is under way.</summary>
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    /// <summary>Cancelled at the end, and with it all that run and wait.</summary>
    private readonly CancellationTokenSource _lifetime = new();

    /// <summary>Whether an attempt is under way.</summary>
    public bool IsTaken => _semaphore.CurrentCount == 0;

    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> attempt)
    {
        CancellationToken lifetime = _lifetime.Token;
        await _semaphore.WaitAsync(lifetime).ConfigureAwait(false);
        try
        {
#pragma warning disable RS0030 // Off the caller's thread, which serves sockets: an attempt reads files, unseals the store and signs.
            return await Task.Run(() => attempt(lifetime), lifetime).ConfigureAwait(false);
#pragma warning restore RS0030
        }
        finally
        {
            _semaphore.Release();
        }
    }

    /// <summary>Ends the attempt that is under way and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync().ConfigureAwait(false);
        await _semaphore.WaitAsync().ConfigureAwait(false);
        _lifetime.Dispose();
    }
}
