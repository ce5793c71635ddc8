using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Lets one process at a time use the store, so that a refresh token that rotates is used once.</summary>
internal sealed class StoreFileLock(string path)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    // Longer than a token request may take: the process that holds the lock may be making one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="OAuthException">Transient: another process holds the lock for too long. Refused: it cannot be opened or made.</exception>
    public async Task<FileStream> TakeAsync(CancellationToken cancellationToken)
    {
        // Another process does not live by this one's clock, so this wait is on the system's.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            PrivateFile.MakeFolder(path);
            while (true)
            {
                if (TryTake() is { } held)
                {
                    return held;
                }

                await Task.Delay(Poll, patience.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            string message = $"Another process has held {path} for {Patience.TotalSeconds:0} s. End it; where none of yours holds the file, remove it.";
            throw OAuthException.Transient("store-locked", message, failure);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw FileFault.Of($"The credential store's lock {path}", "opened", failure);
        }
    }

    /// <returns>Null while another process holds it.</returns>
    private FileStream? TryTake()
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
