using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>An entry of the token gate's cache: the verdict on a token, an admitted token itself unless it is too long, and the expiry.</summary>
internal sealed class CachedVerdict : CachedEntry
{
    /// <summary>
    /// The maximum length, in bytes, of a token that is kept with its verdict. The verdict on a longer token is kept without the token, so each request with it
    /// computes the hash.
    /// </summary>
    /// <remarks>An entry takes about 1 KiB plus the token. A full cache of the largest entries takes 40 MiB.</remarks>
    public const int MaxKeptTokenBytes = 4 * 1024;

    /// <summary>The token; null if it was refused or is longer than <see cref="MaxKeptTokenBytes"/>. Never changes.</summary>
    private readonly byte[]? _token;

    public CachedVerdict(TokenDigest digest, byte[] token, TokenVerdict verdict, long madeAtTicks, long expiresAtTicks, int epoch)
        : base(digest, madeAtTicks, expiresAtTicks, epoch)
    {
        Verdict = verdict;

        // Only an admitted token is kept. This array is its only copy; all connections compare with it.
        _token = IsGood && token.Length <= MaxKeptTokenBytes ? token : null;
    }

    public TokenVerdict Verdict { get; }

    /// <summary>Whether the token was admitted.</summary>
    public override bool IsGood => Verdict.Kind is TokenVerdictKind.Admitted;

    /// <summary>The entry's expiry. Of entries that are equally good, the cache evicts the one with the lowest value, so the one that expires first.</summary>
    public override long Worth => ExpiresAtTicks;

    /// <summary>Whether the verdict is about exactly this token.</summary>
    /// <remarks>
    /// The time of the comparison tells an attacker nothing useful. The comparison reads blocks of at least 16 bytes, so a guess would have to match a whole
    /// block. And a token is compared only with the last token of the same connection.
    /// </remarks>
    public bool IsAbout(ReadOnlySpan<byte> token) => _token is not null && token.SequenceEqual(_token);
}
