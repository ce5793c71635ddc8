using System.Diagnostics;
using System.Security.Cryptography;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth;

/// <summary>The store's entry of one target and policy, read and written as credentials that can be used.</summary>
/// <remarks>While the store is open its entry counts: not what this process holds, and not what a clock says.</remarks>
internal sealed class CredentialEntry(OAuthPolicy policy, Uri target, CredentialStore store, TimeProvider clock)
{
    /// <summary>The order of the credential that was made last; grows while the store is held, or looked at.</summary>
    private long _order;

    /// <summary>The key that was read or made last, so that one object does for all uses; null before the first. Touched as <c>_order</c> is.</summary>
    private DPoPKey? _key;

    /// <summary>The stored form of <c>_key</c>.</summary>
    private string? _keyText;

    /// <summary>The file's stamp before the entry was read last, and whether it was the same before that. Touched by one look at a time.</summary>
    private ((DateTime WrittenAt, long Length) Stamp, bool IsSettled) _seen;

    /// <summary>The entry's name.</summary>
    public string Name { get; } = CredentialStore.KeyFor(policy, target);

    /// <summary>Reads what an earlier run, or another process, has kept.</summary>
    /// <returns>Null if there is nothing that can be used.</returns>
    public async Task<HeldCredential?> LoadAsync(CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        return Read(lease.Find(Name));
    }

    /// <summary>Looks at the entry, without waiting for other processes, if one of them has written the store since the last look.</summary>
    /// <returns>The entry as it is now; null if nothing has been written.</returns>
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

        // A file system may not tell two writings at nearly the same time apart: what has just been written is read once more.
        _seen = (stamp, isSame);
        return news;
    }

    /// <summary>The key for a new token: the entry's, else one that is made for it. Null if tokens are not to be bound.</summary>
    public async Task<DPoPKey?> KeyAsync(CancellationToken cancellationToken)
    {
        if (!policy.DPoP)
        {
            return null;
        }

        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        return KeyOf(lease.Find(Name)) ?? DPoPKey.Create(clock);
    }

    /// <summary>Keeps what a sign-in has led to.</summary>
    /// <param name="issued">The token.</param>
    /// <param name="key">The key that it is bound to.</param>
    /// <param name="isAskedFor">A person has acted for it, which ends a sign-out. Other credentials stay in memory while the sign-out holds.</param>
    public async Task<HeldCredential> KeepAsync(IssuedCredential issued, DPoPKey? key, bool isAskedFor)
    {
        using StoreLease lease = await store.OpenToKeepAsync().ConfigureAwait(false);
        if (isAskedFor || !lease.Find(Name).IsSignedOut)
        {
            Put(lease, issued, key);
        }

        return Make(issued, key, lease.Find(Name).Generation, isFromStore: false);
    }

    /// <summary>Keeps what a renewal has led to, unless the entry is about something else by now.</summary>
    /// <param name="old">The credential before the renewal.</param>
    /// <param name="issued">The renewed credential.</param>
    /// <returns>What is to be used; null if somebody has signed out meanwhile.</returns>
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
            return other; // somebody has signed in anew
        }

        Put(lease, issued, old.Key);
        return Make(issued, old.Key, lease.Find(Name).Generation, isFromStore: false);
    }

    /// <summary>Drops a refresh token that the server does not take any more, so that no process shows it again.</summary>
    public async Task DropRefreshTokenAsync(HeldCredential lost)
    {
        using StoreLease lease = await store.OpenToKeepAsync().ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        if (entry.Issued is { Tokens: { RefreshToken: not null } tokens } && tokens.AccessToken == lost.Tokens.AccessToken)
        {
            lease.Put(Name, entry with { Issued = entry.Issued with { Tokens = tokens with { RefreshToken = null } } });
        }
    }

    /// <summary>The credential to renew: the one in the store's entry, even if this process holds another.</summary>
    /// <returns>Null if somebody has signed out.</returns>
    public async Task<HeldCredential?> LatestAsync(HeldCredential held, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        return entry.IsSignedOut ? null : ReadFor(held.Issued.ResourcePath, entry) ?? held; // a store that was lost is written anew
    }

    /// <summary>Finds what another process has obtained since this one decided to sign in, if it is good enough.</summary>
    /// <param name="known">What this process held when it decided.</param>
    /// <param name="protection">The server of the sign-in, and the resource it is for.</param>
    /// <param name="scopes">What it would ask for.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    public async Task<HeldCredential?> FindNewerAsync(
        HeldCredential? known, Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        return await LoadAsync(cancellationToken).ConfigureAwait(false) is { Issued: var issued } kept
            && !kept.Is(known) && !kept.HasEndedAt(clock.GetUtcNow())
            && issued.Server.Issuer == protection.Server.Issuer && issued.Server.TokenEndpoint == protection.Server.TokenEndpoint
            && issued.ResourcePath == protection.Path && scopes.All(issued.Scopes.Contains) ? kept : null;
    }

    /// <summary>Leaves word that somebody has signed out.</summary>
    /// <returns>What there was; null for nothing.</returns>
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

    /// <summary>Notes that a person is asked to sign in, unless that has happened too often.</summary>
    /// <param name="most">How many sign-ins are allowed within the time.</param>
    /// <param name="span">The time.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <returns>Null if a person may be asked now; otherwise the time from which one may be asked again.</returns>
    public async Task<DateTimeOffset?> CountSignInAsync(int most, TimeSpan span, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(Name);
        DateTimeOffset now = clock.GetUtcNow();

        // After the clock was set back some of them lie in the future. They count no longer than the others.
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

        // The operator's own secret stays where the operator keeps it.
        IssuedCredential kept = issued.Client.IsRegistered ? issued : issued with { Client = issued.Client with { Secret = null } };
        lease.Put(Name, lease.Find(Name) with { Target = Target, Issued = kept, IsSignedOut = false, DPoPKey = key?.Export() });
        if (issued.Tokens.RefreshToken is not null)
        {
            store.Turns.PrepareRenewal(Name);
        }
    }

    /// <returns>Null if there is no credential, or the key that it is bound to is not there.</returns>
    private HeldCredential? Read(StoredEntry entry)
    {
        DPoPKey? key = KeyOf(entry);
        return entry.Issued is { } kept && (key is not null || !policy.DPoP) ? Make(WithSecret(kept), key, entry.Generation, isFromStore: true) : null;
    }

    // Of a bare origin, two processes may sign in for two resources, and share the entry. Neither uses the other's token.
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
                return null; // what is bound to it is of no use
            }
        }

        return _key;
    }

    // Who the operator's client is, and how it shows that, is what the operator says now.
    private IssuedCredential WithSecret(IssuedCredential kept) =>
        kept.Client.IsRegistered || policy.Client is not KnownClient ? kept : kept with { Client = ClientRegistry.Preregistered(policy, kept.Server) };
}
