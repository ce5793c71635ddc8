using System.Security.Cryptography;
using System.Text.Json;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>The sealed file: read without a change to anything, or replaced as a whole.</summary>
internal sealed class StoreFile(string path, string? key)
{
    /// <summary>The code of a file that no key can open any more.</summary>
    public const string Damaged = "store-damaged";

    private const int MaxBytes = 16 * 1024 * 1024;

    public string Path => path;

    /// <exception cref="OAuthException">It cannot be used with this key, or at all; the message says what to do. The file is as it was.</exception>
    public StoreDocument Read()
    {
        // The file first: a key that is made meanwhile, by the one who writes the first store, is then there too. The key is looked at even if there is
        // no file: nobody is to sign in for a store that then cannot be written.
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
                $"The credential store {path} has no key: {path}{StoreKey.FileSuffix} is not there, and CredentialStoreFile.Key is not set. {Cure}");
        }

        try
        {
            byte[] plain = StoreSeal.Open(sealedBytes.Length <= MaxBytes ? sealedBytes : [], secret) ?? throw OtherKey();
            return JsonSerializer.Deserialize(plain, StoreJson.Default.StoreDocument) ?? StoreDocument.Empty;
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            throw new OAuthException(
                OAuthFailure.Refused, Damaged, $"The credential store {path} is damaged. The next sign-in puts it aside and starts another.", failure);
        }
    }

    /// <exception cref="IOException">It could not be written; what was there before is there still.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    /// <exception cref="OAuthException">The key file must not be used, or the store would be too large to be read again.</exception>
    public void Write(StoreDocument document)
    {
        byte[] secret = StoreKey.FindOrMake(path, key);
        byte[] sealedBytes = StoreSeal.Seal(JsonSerializer.SerializeToUtf8Bytes(document, StoreJson.Default.StoreDocument), secret);
        if (sealedBytes.Length > MaxBytes)
        {
            // Nobody could read it again, and with it the sign-ins of all other targets would be lost.
            throw OAuthException.Refused(
                FileFault.Full,
                $"The credential store {path} would be larger than {MaxBytes / (1024 * 1024)} MiB. Sign out of targets that are not needed any more, or set "
                + "OAuthPolicy.Store to another file.");
        }

        PrivateFile.Replace(path, sealedBytes);
    }

    /// <summary>Keeps a damaged file under another name.</summary>
    /// <returns>The name.</returns>
    public string SetAside()
    {
        string aside = $"{path}.unreadable-{Guid.NewGuid():N}";
        File.Move(path, aside);
        return aside;
    }

    private static string Cure => "Give the key that it was made with; without it, move the store away and sign in anew.";

    private OAuthException OtherKey()
    {
        string ours = key is null ? $"the key file {path}{StoreKey.FileSuffix}, and CredentialStoreFile.Key is not set" : "CredentialStoreFile.Key";
        return OAuthException.Refused("store-key-wrong", $"The credential store {path} was made with another key than {ours}. {Cure}");
    }
}
