using System.Security.Cryptography;

namespace McpProxyFast.OAuth.Store;

/// <summary>Seals the store with AES-256-GCM: magic, nonce, tag, cipher text.</summary>
internal static class StoreSeal
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private static ReadOnlySpan<byte> Magic => "MCPPF\x01"u8;

    private static int HeaderBytes => Magic.Length + NonceBytes + TagBytes;

    public static byte[] Seal(ReadOnlySpan<byte> plain, byte[] key)
    {
        byte[] file = new byte[HeaderBytes + plain.Length];
        Magic.CopyTo(file);
        Span<byte> nonce = file.AsSpan(Magic.Length, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(nonce, plain, file.AsSpan(HeaderBytes), file.AsSpan(Magic.Length + NonceBytes, TagBytes), Magic);
        return file;
    }

    /// <exception cref="CryptographicException">The file is not such a store, was changed, or was sealed with another key.</exception>
    public static byte[] Open(ReadOnlySpan<byte> file, byte[] key)
    {
        if (file.Length < HeaderBytes || !file.StartsWith(Magic))
        {
            throw new CryptographicException("Not a credential store.");
        }

        byte[] plain = new byte[file.Length - HeaderBytes];
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Decrypt(file.Slice(Magic.Length, NonceBytes), file[HeaderBytes..], file.Slice(Magic.Length + NonceBytes, TagBytes), plain, Magic);
        return plain;
    }
}
