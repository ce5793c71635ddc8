using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>An entry of the token gate's cache: the verdict on a token, the token, and until when the verdict may be reused. Immutable.</summary>
internal sealed class CachedVerdict : CachedEntry
{
    /// <summary>
    /// The maximum length, in bytes, of a token that is kept with its verdict. A longer token is hashed for each request; otherwise it is treated the same.
    /// </summary>
    /// <remarks>Apart from the token an entry takes about 1 KiB. A full cache of the largest entries takes 40 MiB.</remarks>
    public const int MaxKeptTokenBytes = 4 * 1024;

    /// <summary>The token if it was admitted; null if it was refused, or is too long to keep. Never changes.</summary>
    private readonly byte[]? _token;

    public CachedVerdict(TokenDigest digest, byte[] token, TokenVerdict verdict, long madeAtTicks, long expiresAtTicks, int epoch)
        : base(digest, madeAtTicks, expiresAtTicks, epoch)
    {
        Verdict = verdict;

        // Only admitted tokens are kept. All connections share this copy.
        _token = IsGood && token.Length <= MaxKeptTokenBytes ? token : null;
    }

    public TokenVerdict Verdict { get; }

    /// <summary>Whether the token was admitted.</summary>
    public override bool IsGood => Verdict.Kind is TokenVerdictKind.Admitted;

    /// <summary>When the entry expires: the cache evicts the entry with the lowest value.</summary>
    public override long Worth => ExpiresAtTicks;

    /// <summary>Whether the verdict is about exactly this token.</summary>
    /// <remarks>
    /// The timing of the comparison reveals nothing useful. It compares blocks of at least 16 bytes, so a guess would have to match a whole block. And it is
    /// made only for a connection that has presented the token itself.
    /// </remarks>
    public bool IsAbout(ReadOnlySpan<byte> token) => _token is not null && token.SequenceEqual(_token);
}
