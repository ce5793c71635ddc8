using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>
/// The locks for what only one of the processes that share a store may do at a time: use a refresh token, ask a person to sign in, open a browser window. Each
/// lock has its own file, so that one does not delay another.
/// </summary>
/// <remarks>If a lock cannot be used, for example because the folder has become read-only, this process continues without it.</remarks>
/// <param name="storePath">The path of the store's file; null if the store is in memory, so that no other process shares it.</param>
internal sealed class StoreLocks(string? storePath)
{
    // The longest wait while another process renews; after that the renewal fails. It is longer than a request with a refresh token may take.
    private static readonly TimeSpan RenewalPatience = BoundedHandler.MaxPatientTime + TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewalPoll = TimeSpan.FromMilliseconds(20);

    // The longest wait while others sign in; after that the sign-in fails. A sign-in takes at most an hour (OAuthPolicy.SignInTimeout), and this one may have
    // to wait for two others.
    private static readonly TimeSpan PersonsPatience = TimeSpan.FromHours(3);
    private static readonly TimeSpan PersonsPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>Takes the lock for using an entry's refresh token.</summary>
    /// <exception cref="OAuthException">With the failure Transient: another process has held the lock for too long.</exception>
    public async Task<RenewalTurn> TakeRenewalAsync(string entry, CancellationToken cancellationToken) =>
        new(await TakeAsync(RenewalOf(entry), whenBusy: null, cancellationToken).ConfigureAwait(false));

    /// <summary>Creates the lock file for the entry's renewals in advance, so that it exists if the disk is full later.</summary>
    public void PrepareRenewal(string entry)
    {
        try
        {
            using var turn = new RenewalTurn(RenewalOf(entry)?.TryTake());
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            // The file could not be created now. The renewal itself tries again to create it.
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
            return null; // without the lock; the store itself reports what is wrong with its folder
        }
    }

    private StoreFileLock? RenewalOf(string entry) => LockOf($".renew-{entry[..8]}", RenewalPatience, RenewalPoll);

    private StoreFileLock? LockOf(string suffix, TimeSpan patience, TimeSpan poll) =>
        storePath is null ? null : new StoreFileLock(storePath + suffix, patience, poll);
}
