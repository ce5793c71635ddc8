using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>One entry of the gate's cache: a verdict, the token it is about, and how long both go together. Immutable.</summary>
internal sealed class CachedVerdict : CachedEntry
{
    /// <summary>Longest token whose bytes are kept beside the verdict. A longer one is hashed at each request, and nothing else changes.</summary>
    /// <remarks>An entry holds about 1 KiB beside it: 40 MiB for a full cache when all are at their largest.</remarks>
    public const int MaxKeptTokenBytes = 4 * 1024;

    /// <summary>The token that was admitted; null for another, and for one that is too long to keep. Never changes.</summary>
    private readonly byte[]? _token;

    public CachedVerdict(TokenDigest digest, byte[] token, TokenVerdict verdict, long madeAtTicks, long expiresAtTicks, int epoch)
        : base(digest, madeAtTicks, expiresAtTicks, epoch)
    {
        Verdict = verdict;

        // Only good tokens are kept: connections share this one copy, instead of each having its own.
        _token = IsGood && token.Length <= MaxKeptTokenBytes ? token : null;
    }

    public TokenVerdict Verdict { get; }

    /// <summary>The token was admitted.</summary>
    public override bool IsGood => Verdict.Kind is TokenVerdictKind.Admitted;

    /// <summary>The entry that expires first is evicted first.</summary>
    public override long Worth => ExpiresAtTicks;

    /// <summary>Whether these are the bytes the verdict is about.</summary>
    /// <remarks>
    /// Leaks nothing useful by its timing: the comparison goes by blocks of 16 bytes and more, so a guess would have to hit a whole block,
    /// and only a connection that has itself presented the token gets here.
    /// </remarks>
    public bool IsAbout(ReadOnlySpan<byte> token) => _token is not null && token.SequenceEqual(_token);
}
