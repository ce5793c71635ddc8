using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>What only one of all processes on a store may do at a time. Each thing has its own lock file, so that they do not delay each other.</summary>
/// <remarks>If a lock cannot be used, as in a folder that has become read-only, this process goes on without it, as it does without the store.</remarks>
/// <param name="storePath">The store; null if it is in memory, and no other process shares it.</param>
internal sealed class StoreLocks(string? storePath)
{
    // Longer than the request with the refresh token may take.
    private static readonly TimeSpan RenewalPatience = BoundedHandler.MaxPatientTime + TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewalPoll = TimeSpan.FromMilliseconds(20);

    // A sign-in takes an hour at most (OAuthPolicy.SignInTimeout), and two others may come first.
    private static readonly TimeSpan PersonsPatience = TimeSpan.FromHours(3);
    private static readonly TimeSpan PersonsPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>Takes the lock for using an entry's refresh token.</summary>
    /// <exception cref="OAuthException">Transient: another process has held the lock for too long.</exception>
    public async Task<RenewalTurn> TakeRenewalAsync(string entry, CancellationToken cancellationToken) =>
        new(await TakeAsync(RenewalOf(entry), whenBusy: null, cancellationToken).ConfigureAwait(false));

    /// <summary>Makes the file that the entry's renewals need, while there is room for it.</summary>
    public void PrepareRenewal(string entry)
    {
        try
        {
            using var turn = new RenewalTurn(RenewalOf(entry)?.TryTake());
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            // It is tried again, and said, when it is needed.
        }
    }

    /// <summary>Takes the lock for asking a person to sign in for an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="whenBusy">Called if another process holds the lock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lock, to be disposed of; null if no lock can be used.</returns>
    public Task<FileStream?> TakeSignInAsync(string entry, Action whenBusy, CancellationToken cancellationToken) =>
        TakeAsync(LockOf($".signin-{entry[..8]}", PersonsPatience, PersonsPoll), whenBusy, cancellationToken);

    /// <summary>Takes the lock for opening a browser window. All entries share one lock.</summary>
    /// <param name="whenBusy">Called if another process holds the lock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lock, to be disposed of; null if no lock can be used.</returns>
    public Task<FileStream?> TakeWindowAsync(Action whenBusy, CancellationToken cancellationToken) =>
        TakeAsync(LockOf(".window", PersonsPatience, PersonsPoll), whenBusy, cancellationToken);

    private static async Task<FileStream?> TakeAsync(StoreFileLock? turn, Action? whenBusy, CancellationToken cancellationToken)
    {
        try
        {
            return turn is null ? null : await turn.TakeAsync(whenBusy, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure is { Failure: OAuthFailure.Refused, InnerException: not PathTooLongException })
        {
            return null; // the store says what is wrong with its folder
        }
    }

    private StoreFileLock? RenewalOf(string entry) => LockOf($".renew-{entry[..8]}", RenewalPatience, RenewalPoll);

    private StoreFileLock? LockOf(string suffix, TimeSpan patience, TimeSpan poll) =>
        storePath is null ? null : new StoreFileLock(storePath + suffix, patience, poll);
}
