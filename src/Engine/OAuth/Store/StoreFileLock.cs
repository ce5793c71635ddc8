using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Lets one process at a time use the store, so that a refresh token that rotates is used once.</summary>
internal sealed class StoreFileLock(string path)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    // Longer than a token request may take: the process that holds the lock may be making one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="OAuthException">Another process holds the lock for too long, or the folder cannot be written.</exception>
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
            throw OAuthException.Transient("store-locked", $"Another process has held {path} for {Patience.TotalSeconds:0} s.", failure);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new OAuthException(OAuthFailure.Refused, "store-unwritable", $"The credential store's folder cannot be written: {failure.Message}", failure);
        }
    }

    private FileStream? TryTake()
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure is not DirectoryNotFoundException)
        {
            // Held by another process; the caller asks again.
            return null;
        }
    }
}
