using System.Security.Cryptography;
using System.Text.Json;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Reads and writes the encrypted file of the store. Reading changes nothing; writing replaces the whole file.</summary>
internal sealed class StoreFile(string path, string? key)
{
    /// <summary>The code of the error if the file is damaged: it cannot be decrypted with its key, or its content is not valid.</summary>
    public const string Damaged = "store-damaged";

    private const int MaxBytes = 16 * 1024 * 1024;

    public string Path => path;

    /// <exception cref="OAuthException">
    /// The file cannot be used, or was encrypted with another key. The message says what to do. The file is unchanged.
    /// </exception>
    public StoreDocument Read()
    {
        // The store is read before the key. A process that writes the first store writes the key before it, so if there is a store, its key can be read now.
        // The key is checked even if there is no store, so that nobody signs in for a store that cannot be written afterwards.
        byte[]? sealedBytes = CheckedFile.Read(path, "file", MaxBytes, CheckedFile.Others.MayNotWrite);
        byte[]? found = StoreKey.Find(path, key);
        if (sealedBytes is null)
        {
            return StoreDocument.Empty;
        }

        if (found is not { } secret)
        {
            throw OAuthException.Refused(
                "store-key-missing",
                $"The key of the credential store {path} is missing: there is no file {path}{StoreKey.FileSuffix}, and CredentialStoreFile.Key is not set. "
                + Cure);
        }

        try
        {
            byte[] plain = StoreSeal.Open(sealedBytes.Length <= MaxBytes ? sealedBytes : [], secret) ?? throw OtherKey();
            return JsonSerializer.Deserialize(plain, StoreJson.Default.StoreDocument) ?? StoreDocument.Empty;
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            throw new OAuthException(
                OAuthFailure.Refused, Damaged, $"The credential store {path} is damaged. The next sign-in renames it and starts a new one.", failure);
        }
    }

    /// <exception cref="IOException">The file could not be written. The old content is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">The file could not be written. The old content is unchanged.</exception>
    /// <exception cref="OAuthException">The key file must not be used, or the store would be too large to be read again.</exception>
    public void Write(StoreDocument document)
    {
        byte[] secret = StoreKey.FindOrMake(path, key);
        byte[] sealedBytes = StoreSeal.Seal(JsonSerializer.SerializeToUtf8Bytes(document, StoreJson.Default.StoreDocument), secret);
        if (sealedBytes.Length > MaxBytes)
        {
            // A file of this size could not be read again, and the credentials of all other targets would be lost with it.
            throw OAuthException.Refused(
                FileFault.Full,
                $"The credential store {path} would be larger than {MaxBytes / (1024 * 1024)} MiB. Sign out of targets that are not needed any more, or set "
                + "OAuthPolicy.Store to another file.");
        }

        PrivateFile.Replace(path, sealedBytes);
    }

    /// <summary>Renames a damaged file. It is kept, since a person may want to examine it.</summary>
    /// <returns>The new name.</returns>
    public string SetAside()
    {
        string aside = $"{path}.unreadable-{Guid.NewGuid():N}";
        File.Move(path, aside);
        return aside;
    }

    private static string Cure => "Give the key that the store was made with. If that key is lost, move the store away and sign in again.";

    private OAuthException OtherKey()
    {
        string ours = key is null
            ? $"that of the key file {path}{StoreKey.FileSuffix} (CredentialStoreFile.Key is not set)"
            : "that of CredentialStoreFile.Key";
        return OAuthException.Refused("store-key-wrong", $"The credential store {path} was made with another key than {ours}. {Cure}");
    }
}
