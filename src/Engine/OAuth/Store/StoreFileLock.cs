using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>A lock that one process at a time holds. It ends with the process, however that ends.</summary>
/// <param name="path">The file; created if it does not exist, and never deleted: after a deletion two processes could hold the lock.</param>
/// <param name="patience">How long is waited for the process that holds it.</param>
/// <param name="poll">How often is looked.</param>
internal sealed class StoreFileLock(string path, TimeSpan patience, TimeSpan poll)
{
    /// <param name="whenBusy">Called once if the lock has to be waited for; may be null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>

    /// <exception cref="OAuthException">Transient: another process holds the lock for too long. Refused: it cannot be opened or made.</exception>
    public async Task<FileStream> TakeAsync(Action? whenBusy, CancellationToken cancellationToken)
    {
        // Another process does not live by this one's clock, so this wait is on the system's.
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
            string message = $"Another process has held {path} for {patience.TotalSeconds:0} s. End it; if none of your processes holds the file, remove it.";
            throw OAuthException.Transient("store-locked", message, failure);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw FileFault.Of($"The credential store's lock {path}", "opened", failure);
        }
    }

    /// <returns>Null while another process holds it.</returns>
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
