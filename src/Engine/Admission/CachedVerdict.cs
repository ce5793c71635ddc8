namespace McpProxyFast.Admission;

/// <summary>One entry of the cache: a verdict, the token it is about, and how long both go together. Immutable.</summary>
internal sealed class CachedVerdict
{
    /// <summary>Longest token whose bytes are kept beside the verdict. A longer one is hashed at each request, and nothing else changes.</summary>
    public const int MaxKeptTokenBytes = 4 * 1024;

    /// <summary>The token that was admitted; null for another, and for one that is too long to keep. Set for life.</summary>
    private readonly byte[]? _token;

    public CachedVerdict(TokenDigest digest, byte[] token, TokenVerdict verdict, long expiresAtTicks, int epoch)
    {
        Digest = digest;
        Verdict = verdict;
        ExpiresAtTicks = expiresAtTicks;
        Epoch = epoch;

        // Only a good token is worth remembering: connections share this one copy, where each would need its own.
        _token = IsAdmitted && token.Length <= MaxKeptTokenBytes ? token : null;
    }

    public TokenDigest Digest { get; }

    public TokenVerdict Verdict { get; }

    /// <summary>UTC ticks from which on the verdict is void.</summary>
    public long ExpiresAtTicks { get; }

    /// <summary>The epoch in which the token was looked at: a verdict of an earlier one is void.</summary>
    public int Epoch { get; }

    public bool IsAdmitted => Verdict.Kind is TokenVerdictKind.Admitted;

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && Epoch == epoch;

    /// <summary>Whether these are the bytes the verdict is about.</summary>
    /// <remarks>
    /// Leaks nothing useful by its timing: the comparison goes by blocks of 16 bytes and more, so a guess would have to hit a whole block,
    /// and only a connection that has itself presented the token gets here.
    /// </remarks>
    public bool IsAbout(ReadOnlySpan<byte> token) => _token is not null && token.SequenceEqual(_token);
}
