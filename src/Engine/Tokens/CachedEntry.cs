namespace McpProxyFast.Tokens;

/// <summary>A cache entry: its key, and the time at which it expires. It never changes after construction, except that it can be ended early.</summary>
/// <param name="digest">The key.</param>
/// <param name="madeAtTicks">When the entry was created, in UTC ticks.</param>
/// <param name="expiresAtTicks">When the entry expires, in UTC ticks.</param>
/// <param name="epoch">See <see cref="Epoch"/>.</param>
internal abstract class CachedEntry(in TokenDigest digest, long madeAtTicks, long expiresAtTicks, int epoch)
{
    /// <summary>How far the clock may be set back, in ticks, before entries become invalid: small adjustments are normal.</summary>
    public const long MaxSetBack = TimeSpan.TicksPerSecond;

    /// <summary>
    /// The earliest time at which the entry is valid, in UTC ticks. If the clock shows an earlier time, it was set back, and the entry would live too long.
    /// </summary>
    private readonly long _startsAtTicks = madeAtTicks - MaxSetBack;

    /// <summary>When the entry expires, in UTC ticks; 0 once it has been ended early.</summary>
    private long _expiresAtTicks = expiresAtTicks;

    /// <summary>The key.</summary>
    public TokenDigest Digest { get; } = digest;

    /// <summary>
    /// How often the owner of the cache had invalidated all entries when this one was created. If it has done so since, this entry is invalid.
    /// </summary>
    public int Epoch { get; } = epoch;

    /// <summary>When the entry expires, in UTC ticks.</summary>
    public long ExpiresAtTicks => Volatile.Read(ref _expiresAtTicks);

    /// <summary>Whether the entry is good, such as the verdict on a valid token. While a good entry is valid, no entry that is not good replaces it.</summary>
    public abstract bool IsGood { get; }

    /// <summary>
    /// How useful the entry is. Of two good entries, or of two that are not good, the one with the lower worth is evicted first. Positive, and below 2^62.
    /// </summary>
    public abstract long Worth { get; }

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && nowTicks >= _startsAtTicks && Epoch == epoch;

    /// <summary>Makes the entry invalid at once, also for code that found it before.</summary>
    public void End() => Volatile.Write(ref _expiresAtTicks, 0);
}
