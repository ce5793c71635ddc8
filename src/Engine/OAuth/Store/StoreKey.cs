using System.Security.Cryptography;

namespace McpProxyFast.OAuth.Store;

/// <summary>The store's key: as given, else from a file beside the store that is made at first use.</summary>
internal static class StoreKey
{
    private const int KeyBytes = 32;

    /// <remarks>Called under the store's lock, so that two processes do not both make a key.</remarks>
    public static byte[] FindOrMake(string storePath, string? given)
    {
        if (given is not null)
        {
            return Convert.FromBase64String(given);
        }

        string path = storePath + ".key";
        if (File.Exists(path) && Open(File.ReadAllBytes(path)) is { Length: KeyBytes } found)
        {
            return found;
        }

        byte[] made = RandomNumberGenerator.GetBytes(KeyBytes);
        PrivateFile.Replace(path, Seal(made));
        return made;
    }

    // On Windows the file is sealed with the user's own key (DPAPI); elsewhere its mode keeps others out.
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
            // Another user's, or damaged: another key is made, and the store that this one opened is put aside.
            return null;
        }
    }
}
