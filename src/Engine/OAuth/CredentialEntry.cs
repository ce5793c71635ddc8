using System.Diagnostics;
using System.Security.Cryptography;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth;

/// <summary>Reads and writes the entry for one target and policy in the credential store.</summary>
/// <remarks>
/// If the store and this process have different credentials, the one in the store is the current one. Times are not compared, since clocks may be wrong.
/// </remarks>
internal sealed class CredentialEntry(OAuthPolicy policy, Uri target, CredentialStore store, TimeProvider clock)
{
    /// <summary>
    /// The order number of the last <see cref="HeldCredential"/> that was made here. Changed only by a caller that has exclusive use of the store in this
    /// process.
    /// </summary>
    private long _order;

    /// <summary>
    /// The DPoP key that was read or made last, so that all users share one object; null before the first. Changed only by a caller that has exclusive use of
    /// the store in this process.
    /// </summary>
    private DPoPKey? _key;

    /// <summary>The stored form of <c>_key</c>; null as long as <c>_key</c> is null.</summary>
    private string? _keyText;

    /// <summary>The stamp of the store's file at the last check, and whether it was the same at the check before. Used by one check at a time.</summary>
    private ((DateTime WrittenAt, long Length) Stamp, bool IsSettled) _seen;

    /// <summary>The name of the entry in the store.</summary>
    public string Name { get; } = CredentialStore.KeyFor(policy, target);

    /// <summary>Reads the credential that an earlier run or another process has stored.</summary>
    /// <returns>The credential; null if there is none that can be used.</returns>
    public async Task<HeldCredential?> LoadAsync(CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        return Read(lease.Find(Name));
    }

    /// <summary>Reads the entry if a process has written the store since the last check. Does not wait for other processes.</summary>
    /// <returns>The entry as it is now; null if the store has not been written.</returns>
    public async Task<StoreNews?> LookAsync(CancellationToken cancellationToken)
    {
        (DateTime WrittenAt, long Length) stamp = store.Stamp;
        bool isSame = stamp == _seen.Stamp;
        if (isSame && _seen.IsSettled)
        {
            return null;
        }

        StoreNews news = await store.PeekAsync(
            Name, entry => new StoreNews(Read(entry), entry.IsSignedOut, entry.Generation, ++_order), cancellationToken).ConfigureAwait(false);

        // Two writes at nearly the same time may leave the same stamp. So after a change, the entry is read once more at the next check.
        _seen = (stamp, isSame);
        return news;
    }

    /// <summary>Returns the DPoP key for a new token: the entry's key, or a new one if it has none; null if the policy does not bind tokens to a key.</summary>
    public async Task<DPoPKey?> KeyAsync(CancellationToken cancellationToken)
    {
        if (!policy.DPoP)
        {
            return null;
        }

        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        return KeyOf(lease.Find(Name)) ?? DPoPKey.Create(clock);
    }

    /// <summary>Stores the credential that a sign-in has issued.</summary>
    /// <param name="issued">The issued tokens.</param>
    /// <param name="key">The DPoP key that the token is bound to; null if it is bound to none.</param>
    /// <param name="isAskedFor">
    /// Whether a person has asked for this sign-in; then an earlier sign-out no longer counts. If not, and somebody has signed out, the credential is not
    /// stored.
    /// </param>
    public async Task<HeldCredential> KeepAsync(IssuedCredential issued, DPoPKey? key, bool isAskedFor)
    {
        using StoreLease lease = await store.OpenToKeepAsync().ConfigureAwait(false);
        if (isAskedFor || !lease.Find(Name).IsSignedOut)
        {
            Put(lease, issued, key);
        }

        return Make(issued, key, lease.Find(Name).Generation, isFromStore: false);
    }

    /// <summary>Stores a renewed credential, unless somebody has signed out or signed in again meanwhile.</summary>
    /// <param name="old">The credential before the renewal.</param>
    /// <param name="issued">The renewed credential.</param>
    /// <returns>The credential to use, which may be that of a new sign-in; null if somebody has signed out meanwhile.</returns>
    public async Task<HeldCredential?> KeepRenewedAsync(HeldCredential old, IssuedCredential issued)
    {
        using StoreLease lease = await store.OpenToKeepAsync().ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        if (entry.IsSignedOut)
        {
            return null;
        }

        if (ReadFor(old.Issued.ResourcePath, entry) is { } other && !other.Is(old))
        {
            return other; // somebody has signed in again
        }

        Put(lease, issued, old.Key);
        return Make(issued, old.Key, lease.Find(Name).Generation, isFromStore: false);
    }

    /// <summary>Removes a refresh token that no longer works from the entry, so that no process sends it again.</summary>
    public async Task DropRefreshTokenAsync(HeldCredential lost)
    {
        using StoreLease lease = await store.OpenToKeepAsync().ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        if (entry.Issued is { Tokens: { RefreshToken: not null } tokens } && tokens.AccessToken == lost.Tokens.AccessToken)
        {
            lease.Put(Name, entry with { Issued = entry.Issued with { Tokens = tokens with { RefreshToken = null } } });
        }
    }

    /// <summary>Returns the credential to renew: the one in the store, even if this process has another one.</summary>
    /// <returns>The credential; null if somebody has signed out.</returns>
    public async Task<HeldCredential?> LatestAsync(HeldCredential held, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        return entry.IsSignedOut ? null : ReadFor(held.Issued.ResourcePath, entry) ?? held; // if the store has none, held is renewed and stored again
    }

    /// <summary>
    /// Finds a credential that another process has obtained since this process decided to sign in, and that makes this sign-in unnecessary; null if there is
    /// none.
    /// </summary>
    /// <param name="known">The credential that this process had when it decided to sign in.</param>
    /// <param name="protection">The authorization server of the sign-in, and the resource that the token is for.</param>
    /// <param name="scopes">The scopes that the sign-in would ask for.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    public async Task<HeldCredential?> FindNewerAsync(
        HeldCredential? known, Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        return await LoadAsync(cancellationToken).ConfigureAwait(false) is { Issued: var issued } kept
            && !kept.Is(known) && !kept.HasEndedAt(clock.GetUtcNow())
            && issued.Server.Issuer == protection.Server.Issuer && issued.Server.TokenEndpoint == protection.Server.TokenEndpoint
            && issued.ResourcePath == protection.Path && scopes.All(issued.Scopes.Contains) ? kept : null;
    }

    /// <summary>Stores that somebody has signed out, and deletes the credential.</summary>
    /// <returns>The deleted credential; null if there was none.</returns>
    public async Task<HeldCredential?> SignOutAsync(CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        if (entry != StoredEntry.Empty)
        {
            lease.Put(Name, new StoredEntry { Target = entry.Target, IsSignedOut = true });
        }

        return Read(entry);
    }

    /// <summary>Counts that a person is asked to sign in, unless persons have been asked too often lately.</summary>
    /// <param name="most">How many times a person may be asked within <paramref name="span"/>.</param>
    /// <param name="span">The length of the time window.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <returns>Null if a person may be asked now; otherwise the time at which a person may be asked again.</returns>
    public async Task<DateTimeOffset?> CountSignInAsync(int most, TimeSpan span, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        DateTimeOffset now = clock.GetUtcNow();

        // If the clock was set back, some times are in the future. They are counted as long as the others: for one time window.
        DateTimeOffset[] lately = [.. entry.SignIns.Where(at => (now - at).Duration() < span)];
        if (lately.Length >= most)
        {
            return lately.Min() + span;
        }

        lease.Put(Name, entry with { Target = Target, SignIns = [.. lately, now] });
        return null;
    }

    private string Target => WellKnown.Origin(target) + target.AbsolutePath;

    private void Put(StoreLease lease, IssuedCredential issued, DPoPKey? key)
    {
        Debug.Assert(key is not null == policy.DPoP, "A token is kept with the key that it is bound to.");

        // The client secret from the operator's settings is not written to the store.
        IssuedCredential kept = issued.Client.IsRegistered ? issued : issued with { Client = issued.Client with { Secret = null } };
        lease.Put(Name, lease.Find(Name) with { Target = Target, Issued = kept, IsSignedOut = false, DPoPKey = key?.Export() });
        if (issued.Tokens.RefreshToken is not null)
        {
            store.Turns.PrepareRenewal(Name);
        }
    }

    /// <returns>The credential; null if there is none, or the DPoP key that it is bound to is missing.</returns>
    private HeldCredential? Read(StoredEntry entry)
    {
        DPoPKey? key = KeyOf(entry);
        return entry.Issued is { } kept && (key is not null || !policy.DPoP) ? Make(WithSecret(kept), key, entry.Generation, isFromStore: true) : null;
    }

    // If the target's URL has no path, two processes that share the entry may sign in for different resources of the origin. One must not use the token of the
    // other.
    private HeldCredential? ReadFor(string? resourcePath, StoredEntry entry) =>
        Read(entry) is { } kept && (resourcePath is null || kept.Issued.ResourcePath == resourcePath) ? kept : null;

    private HeldCredential Make(IssuedCredential issued, DPoPKey? key, long generation, bool isFromStore) =>
        new(issued, key, generation, ++_order, isFromStore);

    private DPoPKey? KeyOf(StoredEntry entry)
    {
        if (entry.DPoPKey is not { } text || !policy.DPoP)
        {
            return null;
        }

        if (text != _keyText)
        {
            try
            {
                _key = DPoPKey.Import(text, clock);
                _keyText = text;
            }
            catch (Exception failure) when (failure is FormatException or CryptographicException)
            {
                return null; // without the key, the tokens that are bound to it cannot be used either
            }
        }

        return _key;
    }

    // The id and secret of a client that the operator has configured are taken from the present settings, not from the store.
    private IssuedCredential WithSecret(IssuedCredential kept) =>
        kept.Client.IsRegistered || policy.Client is not KnownClient ? kept : kept with { Client = ClientRegistry.Preregistered(policy, kept.Server) };
}
