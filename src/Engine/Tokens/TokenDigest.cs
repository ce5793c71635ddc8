using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace McpProxyFast.Tokens;

/// <summary>The SHA-256 of a token, or of all inputs of a token exchange. It serves as a cache key: nobody can find two inputs with the same digest.</summary>
internal readonly record struct TokenDigest(ulong A, ulong B, ulong C, ulong D)
{
    private const int Size = SHA256.HashSizeInBytes;

    public static TokenDigest Of(ReadOnlySpan<byte> token)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(token, hash);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(hash);
        return new TokenDigest(words[0], words[1], words[2], words[3]);
    }

    /// <summary>The digest of three digests. Each has a fixed length and place, so different triples never have the same bytes.</summary>
    public static TokenDigest Of(in TokenDigest first, in TokenDigest second, in TokenDigest third) =>
        Of(MemoryMarshal.AsBytes<TokenDigest>([first, second, third]));

    /// <summary>The first eight bytes, for logs: enough to tell tokens apart, without any part of a token.</summary>
    public override string ToString() => BitConverter.IsLittleEndian
        ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(A).ToString("x16")
        : A.ToString("x16");
}
