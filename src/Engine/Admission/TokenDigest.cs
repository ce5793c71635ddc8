using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace McpProxyFast.Admission;

/// <summary>The SHA-256 of a token: what the cache knows it by. Nobody can make two tokens that share one.</summary>
internal readonly record struct TokenDigest(ulong A, ulong B, ulong C, ulong D)
{
    public static TokenDigest Of(ReadOnlySpan<byte> token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, hash);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(hash);
        return new TokenDigest(words[0], words[1], words[2], words[3]);
    }
}
