using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>
/// Named secrets in the credential store, for use by the host program, for example as the value of an <see cref="AddedField"/>. A proxy does not read them
/// itself.
/// </summary>
public static class StoredSecrets
{
    /// <summary>The maximum number of secrets in a store.</summary>
    public const int MaxSecrets = 256;

    /// <summary>The maximum length of a secret's name, in characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Checks whether a secret can have this name.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Whether it is one word of visible ASCII without a colon, of at most <see cref="MaxNameLength"/> characters.</returns>
    public static bool IsName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= MaxNameLength && PolicyValue.IsWord(name) && !name.Contains(':');
    }

    /// <summary>Stores a secret. It replaces a secret with the same name.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">The secret's name, see <see cref="IsName"/>.</param>
    /// <param name="value">The secret: text without line breaks that is not empty and has at most <see cref="AddedField.MaxValueLength"/> bytes.</param>
    /// <param name="logger">Gets a message if a damaged store has been moved aside.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ArgumentException">The name or the value is not valid. The message does not repeat them.</exception>
    /// <exception cref="InvalidOperationException">
    /// The store could not be used, or has <see cref="MaxSecrets"/> secrets already; the message says what to do.
    /// </exception>
    public static Task SetAsync(
        CredentialStoreFile store, string name, string value, ILogger logger, CancellationToken cancellationToken = default)
    {
        CheckName(name);
        PolicyValue.NotEmpty(value, nameof(value));
        string? wrong = AddedFieldRules.WhatIsWrong(value);
        PolicyValue.Require(wrong is null, nameof(value), $"The secret {wrong}.");
        return WithAsync(store, logger, async kept =>
        {
            IReadOnlyCollection<StoredEntry> entries = await kept.ReadAllAsync(cancellationToken).ConfigureAwait(false);
            if (entries.Count(entry => entry.Secret is not null && entry.Target != name) >= MaxSecrets)
            {
                throw OAuthException.Refused("store-full", $"The credential store {store} holds {MaxSecrets} secrets, which is the maximum; delete one first.");
            }

            await PutAsync(kept, name, value, cancellationToken).ConfigureAwait(false);
            return true;
        });
    }

    /// <summary>Deletes a secret.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">The secret's name.</param>
    /// <param name="logger">Gets a message if a damaged store has been moved aside.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>Whether there was such a secret.</returns>
    /// <exception cref="ArgumentException">No secret can have this name.</exception>
    /// <exception cref="InvalidOperationException">The store could not be used; the message says what to do.</exception>
    public static Task<bool> DeleteAsync(CredentialStoreFile store, string name, ILogger logger, CancellationToken cancellationToken = default)
    {
        CheckName(name);
        return WithAsync(store, logger, async kept =>
            await FindAsync(kept, name, cancellationToken).ConfigureAwait(false) is not null
            && await PutAsync(kept, name, value: null, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Reads a secret. No file is changed.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">The secret's name.</param>
    /// <param name="logger">Not used at present: no file is changed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The value; null if none is stored under this name.</returns>
    /// <exception cref="ArgumentException">No secret can have this name.</exception>
    /// <exception cref="InvalidOperationException">The store could not be used; the message says what to do.</exception>
    public static Task<string?> FindAsync(CredentialStoreFile store, string name, ILogger logger, CancellationToken cancellationToken = default)
    {
        CheckName(name);
        return WithAsync(store, logger, kept => FindAsync(kept, name, cancellationToken));
    }

    /// <summary>Lists the names of the secrets. No file is changed.</summary>
    /// <param name="store">The store.</param>
    /// <param name="logger">Not used at present: no file is changed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The names in alphabetical order.</returns>
    /// <exception cref="InvalidOperationException">The store could not be used; the message says what to do.</exception>
    public static Task<IReadOnlyList<string>> ListAsync(CredentialStoreFile store, ILogger logger, CancellationToken cancellationToken = default) =>
        WithAsync<IReadOnlyList<string>>(store, logger, async kept =>
        {
            IReadOnlyCollection<StoredEntry> entries = await kept.ReadAllAsync(cancellationToken).ConfigureAwait(false);
            return [.. entries.Where(entry => entry.Secret is not null).Select(entry => entry.Target).Order(StringComparer.Ordinal)];
        });

    private static void CheckName(string name) => PolicyValue.Require(
        IsName(name),
        nameof(name),
        $"The name of a secret must be one word of at most {MaxNameLength} visible ASCII characters without a colon.");

    private static async Task<string?> FindAsync(CredentialStore kept, string name, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<StoredEntry> entries = await kept.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        return entries.FirstOrDefault(entry => entry.Secret is not null && entry.Target == name)?.Secret;
    }

    // The name of a deleted secret stays in the store, so that another process that changes the secret meanwhile notices the deletion.
    private static async Task<bool> PutAsync(CredentialStore kept, string name, string? value, CancellationToken cancellationToken)
    {
        using (StoreLease lease = await kept.OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            string key = $"secret:{name}";
            lease.Put(key, lease.Find(key) with { Target = name, Secret = value });
        }

        return kept.Unsaved is { } reason
            ? throw OAuthException.Refused("store-unusable", $"The change could not be written to the credential store. {reason}")
            : true;
    }

    private static async Task<T> WithAsync<T>(CredentialStoreFile store, ILogger logger, Func<CredentialStore, Task<T>> action)
    {
        using CredentialStore kept = CredentialStore.For(store, GuardedLogger.Around(logger));
        try
        {
            return await action(kept).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }
}
