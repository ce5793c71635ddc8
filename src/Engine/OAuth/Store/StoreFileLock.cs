using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>A lock that only one process can hold at a time. It is released when the process ends, even if it is killed.</summary>
/// <param name="path">The lock file. It is created if it does not exist, and never deleted: after a deletion two processes could hold the lock.</param>
/// <param name="patience">The longest wait while another process holds the lock; after that an exception is thrown.</param>
/// <param name="poll">The pause between two attempts to take the lock.</param>
internal sealed class StoreFileLock(string path, TimeSpan patience, TimeSpan poll)
{
    /// <param name="whenBusy">Called once if another process holds the lock; may be null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OAuthException">
    /// With the failure Transient: another process has held the lock for too long. With the failure Refused: the file cannot be opened or created.
    /// </exception>
    public async Task<FileStream> TakeAsync(Action? whenBusy, CancellationToken cancellationToken)
    {
        // This wait is measured by the system clock, even if the proxy uses another one, since the other process runs by the system clock.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(patience);
        try
        {
            PrivateFile.MakeFolder(path);
            while (true)
            {
                if (TryTake() is { } held)
                {
                    return held;
                }

                whenBusy?.Invoke();
                whenBusy = null;
                await Task.Delay(poll, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            string message = $"Another process has locked the credential store (file {path}) for {patience.TotalSeconds:0} s. "
                + "End that process; if there is none, remove the file.";
            throw OAuthException.Transient("store-locked", message, failure);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw FileFault.Of($"The credential store's lock {path}", "opened", failure);
        }
    }

    /// <returns>The lock; null if another process holds it.</returns>
    public FileStream? TryTake()
    {
        try
        {
            return PrivateFile.OpenLock(path);
        }
        catch (IOException failure) when (FileFault.IsBusy(failure))
        {
            return null;
        }
    }
}
