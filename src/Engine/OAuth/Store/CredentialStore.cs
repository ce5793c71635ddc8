using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Store;

/// <summary>Keeps tokens and registrations, in memory or in an encrypted file that several processes may share.</summary>
internal sealed class CredentialStore(string? path, string? key, ILogger logger) : IDisposable
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly StoreFileLock? _fileLock = path is null ? null : new StoreFileLock(path + ".lock");
    private StoreDocument _document = StoreDocument.Empty;

    public static CredentialStore For(CredentialStoreFile? file, ILogger logger) => new(file?.Path, file?.Key, logger);

    /// <summary>The name under which an entry is kept: tokens for one target and one way to ask are not those for another.</summary>
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
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))).AsSpan(0, 16));
    }

    /// <summary>Waits until nobody else, in this process or another, uses the store, and reads it.</summary>
    /// <exception cref="OAuthException">The file or its key cannot be used.</exception>
    public async Task<StoreLease> OpenAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        FileStream? held = null;
        try
        {
            if (_fileLock is not null)
            {
                held = await _fileLock.TakeAsync(cancellationToken).ConfigureAwait(false);
                _document = Read();
            }

            return new StoreLease(_document, Write, () => Release(held));
        }
        catch
        {
            Release(held);
            throw;
        }
    }

    public void Dispose() => _turn.Dispose();

    private void Release(FileStream? held)
    {
        held?.Dispose();
        _turn.Release();
    }

    private StoreDocument Read()
    {
        if (!File.Exists(path))
        {
            return StoreDocument.Empty;
        }

        byte[] secret = StoreKey.FindOrMake(path, key);
        try
        {
            byte[] sealedBytes = new FileInfo(path).Length <= MaxFileBytes ? File.ReadAllBytes(path) : [];
            return JsonSerializer.Deserialize(StoreSeal.Open(sealedBytes, secret), StoreJson.Default.StoreDocument) ?? StoreDocument.Empty;
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            SetAside();
            return StoreDocument.Empty;
        }
    }

    // A store that cannot be read costs a sign-in, never the start; it is kept, since the key may turn up again.
    private void SetAside()
    {
        string aside = $"{path}.unreadable-{Guid.NewGuid():N}";
        File.Move(path!, aside);
        logger.StoreSetAside(path!, aside);
    }

    private void Write(StoreDocument document)
    {
        _document = document;
        if (path is null)
        {
            return;
        }

        byte[] secret = StoreKey.FindOrMake(path, key);
        PrivateFile.Replace(path, StoreSeal.Seal(JsonSerializer.SerializeToUtf8Bytes(document, StoreJson.Default.StoreDocument), secret));
    }
}
