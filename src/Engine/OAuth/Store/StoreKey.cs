using System.Security.Cryptography;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>
/// Finds the store's key: the one that the operator has set, or else the one in a file beside the store. That file is made when the store is first written.
/// </summary>
internal static class StoreKey
{
    public const string FileSuffix = ".key";

    private const int KeyBytes = 32;

    // The maximum size of the key file. On Windows the key is encrypted, which makes it longer.
    private const int MaxFileBytes = 4096;

    /// <returns>The key; null if the operator has set none and there is no key file. No file is changed.</returns>
    /// <exception cref="OAuthException">There is a key file, but it must not or cannot be used.</exception>
    public static byte[]? Find(string storePath, string? given)
    {
        if (given is not null)
        {
            return Convert.FromBase64String(given);
        }

        string path = storePath + FileSuffix;
        if (CheckedFile.Read(path, "key file", MaxFileBytes, CheckedFile.Others.MayDoNothing) is not { } file)
        {
            return null;
        }

        return Open(file) is { Length: KeyBytes } found
            ? found
            : throw FileFault.Unfit(
                $"The credential store's key file {path} holds no key of this user. Restore the key file, or remove it and {storePath} and sign in again.");
    }

    /// <remarks>Called under the store's lock, so that two processes do not both make a key.</remarks>
    public static byte[] FindOrMake(string storePath, string? given)
    {
        if (Find(storePath, given) is { } found)
        {
            return found;
        }

        byte[] made = RandomNumberGenerator.GetBytes(KeyBytes);
        PrivateFile.Replace(storePath + FileSuffix, Seal(made));
        return made;
    }

    // On Windows the key is encrypted with the user's own key (DPAPI). On other systems the file mode keeps other users out.
    private static byte[] Seal(byte[] key) =>
        OperatingSystem.IsWindows() ? ProtectedData.Protect(key, optionalEntropy: null, DataProtectionScope.CurrentUser) : key;

    private static byte[]? Open(byte[] file)
    {
        try
        {
            return OperatingSystem.IsWindows() ? ProtectedData.Unprotect(file, optionalEntropy: null, DataProtectionScope.CurrentUser) : file;
        }
        catch (CryptographicException)
        {
            return null; // the key was encrypted by another user, or the file is damaged
        }
    }
}
