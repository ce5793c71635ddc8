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
/// If the file cannot be used when it is read for the first time, the call fails. If it cannot be used later, or only because the disk is full, the process
/// keeps its entries in memory, logs that once, and writes them as soon as the file can be used again.
/// </remarks>
internal sealed class CredentialStore(string? path, string? key, ILogger logger) : IDisposable
{
    // The longest wait while another process uses the file; after that the call fails. A process holds the lock only while it reads and writes the file, never
    // during a request.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>A lock that lets only one caller in this process use the store at a time. Valid until disposed of.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The file; null if everything is kept in memory.</summary>
    private readonly StoreFile? _file = path is null ? null : new StoreFile(path, key);

    /// <summary>A lock that lets only one process use the file at a time; null if there is no file.</summary>
    private readonly StoreFileLock? _fileLock = path is null ? null : new StoreFileLock(path + ".lock", Patience, Poll);

    /// <summary>The store as it was last read or changed; valid for the caller that holds <see cref="_turn"/>.</summary>
    private StoreDocument _document = StoreDocument.Empty;

    /// <summary>
    /// The entries that have been changed here and are not in the file yet. Each has the generation that it had in the file before the change.
    /// </summary>
    private ImmutableDictionary<string, long> _unsaved = ImmutableDictionary<string, long>.Empty;

    /// <summary>Whether the file has been read successfully. From then on, if the file cannot be used, this process keeps its entries in memory.</summary>
    private bool _wasRead;

    /// <summary>Why the file could not be used when it was last tried; null if it could. The reason has been logged.</summary>
    private string? _trouble;

    /// <summary>Why some entries are only in memory; null if all of them are in the file.</summary>
    public string? Unsaved => _unsaved.IsEmpty ? null : _trouble;

    /// <summary>The locks for renewals and sign-ins, which only one of the processes that share this store may do at a time.</summary>
    public StoreLocks Turns { get; } = new(path);

    /// <summary>Whether other processes can change the store.</summary>
    public bool IsShared => path is not null;

    /// <summary>
    /// The time and length of the file's last write, which differ after any process has written it. But two writes at nearly the same time may leave the same
    /// value. Reading it takes one system call.
    /// </summary>
    public (DateTime WrittenAt, long Length) Stamp => new FileInfo(path!) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;

    public static CredentialStore For(CredentialStoreFile? file, ILogger logger) => new(file?.Path, file?.Key, logger);

    /// <summary>Returns the store of a policy: its file, or memory if the grant's tokens are not to be stored (<see cref="OAuthGrant.IsKept"/>).</summary>
    public static CredentialStore For(OAuthPolicy policy, ILogger logger) => For(policy.Grant.IsKept ? policy.Store : null, logger);

    /// <summary>
    /// Returns the name of a policy's entry. It is made from the target, the identity, and how the token is obtained. So policies that differ in one of these
    /// have separate entries.
    /// </summary>
    /// <remarks>Parts that older versions did not have in the name are added only if they are set. So the entries of older versions are still found.</remarks>
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
    /// Reads all entries without changing any file. If another process writes the store at the same time, the result is the state before or after that write.
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

    /// <summary>Reads one entry without changing any file and without waiting for other processes.</summary>
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

    /// <summary>Waits until nobody else in this or another process uses the store, then reads it. The lease keeps others out until it is disposed of.</summary>
    /// <exception cref="OAuthException">The file or its key cannot be used, or another process has held the store for too long.</exception>
    public Task<StoreLease> OpenAsync(CancellationToken cancellationToken) => OpenAsync(mayGoOn: false, cancellationToken);

    /// <summary>
    /// Does the same as <see cref="OpenAsync(CancellationToken)"/>, to write something that must not be lost. If another process holds the store for too long,
    /// what is written is kept in memory.
    /// </summary>
    /// <exception cref="OAuthException">The store cannot be opened, and this process has never opened it before.</exception>
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

    /// <returns>The lock on the file; null if the file cannot be used and the process continues in memory.</returns>
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

    // If the store is damaged, a new sign-in is necessary, but the start must not fail. The file is kept under another name, since a person may want to examine
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

    // Adds this process's unsaved entries to what was read from the file. If another process has changed an entry in the file meanwhile, the other process's
    // version is used, since it was based on the file.
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

    // A failure, such as a full disk, is logged and not thrown: a token that has just been obtained must not be lost. It stays in memory.
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
