using System.Security.Cryptography;

namespace McpProxyFast.OAuth.Store;

/// <summary>
/// Encrypts and decrypts the store with AES-256-GCM. The file has a magic number, a digest that identifies the key, a nonce, the tag and the cipher text.
/// </summary>
internal static class StoreSeal
{
    private const int KeyNameBytes = 8;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private static ReadOnlySpan<byte> Magic => "MCPPF\x02"u8;

    /// <summary>
    /// The magic number of the first file format, which has no digest of the key. In that format a wrong key cannot be distinguished from damage.
    /// </summary>
    private static ReadOnlySpan<byte> FirstMagic => "MCPPF\x01"u8;

    public static byte[] Seal(ReadOnlySpan<byte> plain, byte[] key)
    {
        int named = Magic.Length + KeyNameBytes;
        byte[] file = new byte[named + NonceBytes + TagBytes + plain.Length];
        Magic.CopyTo(file);
        NameOf(key).CopyTo(file.AsSpan(Magic.Length));
        Span<byte> nonce = file.AsSpan(named, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(
            nonce, plain, file.AsSpan(named + NonceBytes + TagBytes), file.AsSpan(named + NonceBytes, TagBytes), file.AsSpan(0, named));
        return file;
    }

    /// <returns>The decrypted content; null if the file was encrypted with another key, or has the first format and is damaged.</returns>
    /// <exception cref="CryptographicException">The file is not a store, or is damaged.</exception>
    public static byte[]? Open(ReadOnlySpan<byte> file, byte[] key)
    {
        bool isFirst = file.StartsWith(FirstMagic);
        int named = Magic.Length + (isFirst ? 0 : KeyNameBytes);
        if (file.Length < named + NonceBytes + TagBytes || !(isFirst || file.StartsWith(Magic)))
        {
            throw new CryptographicException("Not a credential store.");
        }

        if (!isFirst && !file[Magic.Length..named].SequenceEqual(NameOf(key)))
        {
            return null;
        }

        try
        {
            return Decrypt(file, named, key);
        }
        catch (AuthenticationTagMismatchException) when (isFirst)
        {
            return null;
        }
    }

    private static byte[] Decrypt(ReadOnlySpan<byte> file, int named, byte[] key)
    {
        ReadOnlySpan<byte> body = file[named..];
        byte[] plain = new byte[body.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Decrypt(body[..NonceBytes], body[(NonceBytes + TagBytes)..], body.Slice(NonceBytes, TagBytes), plain, file[..named]);
        return plain;
    }

    // The digest is safe to publish: the key is 256 random bits, so it cannot be found from its digest.
    private static ReadOnlySpan<byte> NameOf(byte[] key) => SHA256.HashData([.. "mcpproxyfast store key"u8, .. key]).AsSpan(0, KeyNameBytes);
}
