using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Store;

/// <summary>Stores tokens and client registrations, in memory or in an encrypted file that several processes may share.</summary>
/// <remarks>
/// If the file cannot be used, the first use fails. If that happens later, or only because the disk is full, the process continues in memory, logs that once,
/// and writes its entries as soon as the file can be used again.
/// </remarks>
internal sealed class CredentialStore(string? path, string? key, ILogger logger) : IDisposable
{
    // How long to wait for another process. A process holds the lock only while it reads and writes the file, never during a request.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>A lock that lets only one caller in this process use the store at a time.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The file; null if everything is kept in memory.</summary>
    private readonly StoreFile? _file = path is null ? null : new StoreFile(path, key);

    /// <summary>A lock that lets only one process use the file at a time; null if there is no file.</summary>
    private readonly StoreFileLock? _fileLock = path is null ? null : new StoreFileLock(path + ".lock", Patience, Poll);

    /// <summary>The store as it was last read or changed; valid for the caller that holds <see cref="_turn"/>.</summary>
    private StoreDocument _document = StoreDocument.Empty;

    /// <summary>The entries that are not in the file yet, each with the generation that the file had when it was changed.</summary>
    private ImmutableDictionary<string, long> _unsaved = ImmutableDictionary<string, long>.Empty;

    /// <summary>Whether the file has been read once, so that a later failure is not the operator's mistake at the start.</summary>
    private bool _wasRead;

    /// <summary>Why the file could not be used the last time; null if it could. It has been logged.</summary>
    private string? _trouble;

    /// <summary>Why some entries are only in memory; null if all of them are in the file.</summary>
    public string? Unsaved => _unsaved.IsEmpty ? null : _trouble;

    /// <summary>The locks for what only one of the processes that share this store may do at a time.</summary>
    public StoreLocks Turns { get; } = new(path);

    /// <summary>Whether other processes can change the store.</summary>
    public bool IsShared => path is not null;

    /// <summary>A value that differs after another process has written the file. Reading it takes one system call.</summary>
    public (DateTime WrittenAt, long Length) Stamp => new FileInfo(path!) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;

    public static CredentialStore For(CredentialStoreFile? file, ILogger logger) => new(file?.Path, file?.Key, logger);

    /// <summary>Returns the store of a policy: its file, or memory for grants whose tokens are not worth storing.</summary>
    public static CredentialStore For(OAuthPolicy policy, ILogger logger) => For(policy.Grant.IsKept ? policy.Store : null, logger);

    /// <summary>
    /// Returns the name of an entry. It is made from the target, the identity and the way in which the token is obtained, so that policies that differ in these
    /// have separate entries.
    /// </summary>
    /// <remarks>A part that older versions did not have in the name is added only if it is set, so that their entries are still found.</remarks>
    public static string KeyFor(OAuthPolicy policy, Uri target)
    {
        string[] parts =
        [
            target.GetLeftPart(UriPartial.Path),
            policy.Grant.Name,
            policy.Server.Issuer ?? policy.Server.TokenUrl?.OriginalString ?? "",
            policy.Client?.StoreName ?? "",
            policy.Resource ?? "",
            string.Join(' ', policy.Scopes),
            policy.DPoP ? "dpop" : "",
        ];
        string[] added =
        [
            .. target.Query.Length > 0 ? [$"query={target.Query}"] : Array.Empty<string>(),
            .. policy.Server.AuthorizeUrl is { } url ? [$"authorize={url.OriginalString}"] : Array.Empty<string>(),
            .. policy.Grant.StoreDetails,
        ];
        string name = string.Join('\n', parts.Concat(added).Select(OneLine));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
    }

    /// <summary>
    /// Reads the store without changing any file. If another process writes it at the same time, the result is the state before or after that write.
    /// </summary>
    /// <exception cref="OAuthException">The file or its key cannot be used.</exception>
    public async Task<IReadOnlyCollection<StoredEntry>> ReadAllAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return [.. (_file?.Read() ?? _document).Entries.Values];
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Reads an entry as <see cref="ReadAllAsync"/> does, without waiting for other processes.</summary>
    /// <param name="name">The name of the entry.</param>
    /// <param name="read">Reads the entry. Nothing in this process can change it during the call.</param>
    /// <param name="cancellationToken">Ends the wait for other callers in this process.</param>
    /// <exception cref="OAuthException">The file or its key cannot be used.</exception>
    public async Task<T> PeekAsync<T>(string name, Func<StoredEntry, T> read, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            StoreDocument seen = _file?.Read() ?? _document;
            StoredEntry entry = seen.Entries.GetValueOrDefault(name, StoredEntry.Empty);
            bool isOursNewer = _unsaved.TryGetValue(name, out long generation) && generation == entry.Generation;
            return read(isOursNewer ? _document.Entries[name] : entry);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until nobody else in this or another process uses the store, and reads it.</summary>
    /// <exception cref="OAuthException">The file or its key cannot be used.</exception>
    public Task<StoreLease> OpenAsync(CancellationToken cancellationToken) => OpenAsync(mayGoOn: false, cancellationToken);

    /// <summary>Opens the store to write something that must not be lost. If another process holds the store for too long, it is written to memory.</summary>
    /// <exception cref="OAuthException">The file or its key cannot be used, and this process has never been able to use them.</exception>
    public Task<StoreLease> OpenToKeepAsync() => OpenAsync(mayGoOn: true, CancellationToken.None);

    public void Dispose() => _turn.Dispose();

    // Escapes line breaks, so that one part cannot look like two.
    private static string OneLine(string part) => part.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    private async Task<StoreLease> OpenAsync(bool mayGoOn, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            FileStream? held = _file is null ? null : await LoadAsync(_file, mayGoOn, cancellationToken).ConfigureAwait(false);
            return new StoreLease(_document, (name, entry) => Put(name, entry, isHeld: held is not null), () => Release(held));
        }
        catch
        {
            _turn.Release();
            throw;
        }
    }

    private void Release(FileStream? held)
    {
        held?.Dispose();
        _turn.Release();
    }

    /// <returns>The lock; null if the file cannot be used and the process goes on in memory.</returns>
    private async Task<FileStream?> LoadAsync(StoreFile file, bool mayGoOn, CancellationToken cancellationToken)
    {
        FileStream? held = null;
        try
        {
            held = await _fileLock!.TakeAsync(whenBusy: null, cancellationToken).ConfigureAwait(false);
            _document = WithUnsaved(ReadOrSetAside(file));
            _wasRead = true;
            if (!_unsaved.IsEmpty)
            {
                Save(file);
            }

            return held;
        }
        catch (OAuthException failure) when ((_wasRead && (mayGoOn || failure.Failure is OAuthFailure.Refused)) || failure.Code is FileFault.Full)
        {
            held?.Dispose();
            Say(failure.Message);
            return null;
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    // A damaged store makes a new sign-in necessary, but must not prevent the start. The file is kept under another name, since a person may want to examine
    // it.
    private StoreDocument ReadOrSetAside(StoreFile file)
    {
        try
        {
            return file.Read();
        }
        catch (OAuthException failure) when (failure.Code is StoreFile.Damaged)
        {
            try
            {
                logger.StoreSetAside(file.Path, file.SetAside());
                return StoreDocument.Empty;
            }
            catch (Exception fault) when (FileFault.Is(fault))
            {
                throw FileFault.Of($"The credential store {file.Path} is damaged and", "renamed", fault);
            }
        }
    }

    // If another process has changed an entry since, its version is kept, since it was based on the file.
    private StoreDocument WithUnsaved(StoreDocument read)
    {
        foreach ((string name, long generation) in _unsaved)
        {
            if (read.Entries.GetValueOrDefault(name, StoredEntry.Empty).Generation == generation)
            {
                read = read with { Entries = read.Entries.SetItem(name, _document.Entries[name]) };
            }
            else
            {
                _unsaved = _unsaved.Remove(name);
            }
        }

        return read;
    }

    private StoreDocument Put(string name, StoredEntry entry, bool isHeld)
    {
        Debug.Assert(_turn.CurrentCount == 0, "only the caller that holds the lock may change the store");
        long generation = _document.Entries.GetValueOrDefault(name, StoredEntry.Empty).Generation;
        _document = _document with { Entries = _document.Entries.SetItem(name, entry with { Generation = generation + 1 }) };
        if (_file is not null)
        {
            _unsaved = _unsaved.ContainsKey(name) ? _unsaved : _unsaved.Add(name, generation);
            if (isHeld)
            {
                Save(_file);
            }
        }

        return _document;
    }

    // If the disk is full, the token that has just been obtained must not be lost.
    private void Save(StoreFile file)
    {
        try
        {
            file.Write(_document);
            _unsaved = _unsaved.Clear();
            _trouble = null;
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            Say(FileFault.Of($"The credential store {file.Path}", "written", failure).Message);
        }
        catch (OAuthException failure)
        {
            Say(failure.Message);
        }
    }

    private void Say(string reason)
    {
        if (_trouble is null)
        {
            logger.NotStored(reason);
        }

        _trouble = reason;
    }
}
