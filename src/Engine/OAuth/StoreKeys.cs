using System.Security.Cryptography;

namespace McpProxyFast.OAuth;

/// <summary>The store's key: as given, else from a file beside the store that is made at first use.</summary>
internal static class StoreKeys
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
        if (File.Exists(path) && File.ReadAllBytes(path) is { Length: KeyBytes } found)
        {
            return found;
        }

        byte[] made = RandomNumberGenerator.GetBytes(KeyBytes);
        PrivateFile.Replace(path, made);
        return made;
    }
}
