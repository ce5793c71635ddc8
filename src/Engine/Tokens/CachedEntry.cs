namespace McpProxyFast.Tokens;

/// <summary>A cache entry: its key, and the time at which it expires. It never changes after construction, except that it can be ended early.</summary>
/// <param name="digest">The key.</param>
/// <param name="madeAtTicks">When the entry was created, in UTC ticks.</param>
/// <param name="expiresAtTicks">When the entry expires, in UTC ticks.</param>
/// <param name="epoch">The epoch in which the entry was created.</param>
internal abstract class CachedEntry(in TokenDigest digest, long madeAtTicks, long expiresAtTicks, int epoch)
{
    /// <summary>How far a clock may be set back, in ticks, without losing entries: small adjustments are normal.</summary>
    public const long MaxSetBack = TimeSpan.TicksPerSecond;

    /// <summary>
    /// The entry is invalid before this time, in UTC ticks: the clock has then been set back, and the entry would live too long. Never changes.
    /// </summary>
    private readonly long _startsAtTicks = madeAtTicks - MaxSetBack;

    /// <summary>When the entry expires, in UTC ticks; 0 once it has been ended early.</summary>
    private long _expiresAtTicks = expiresAtTicks;

    /// <summary>The key.</summary>
    public TokenDigest Digest { get; } = digest;

    /// <summary>The epoch in which the entry was created. An entry of an earlier epoch is invalid.</summary>
    public int Epoch { get; } = epoch;

    /// <summary>When the entry expires, in UTC ticks.</summary>
    public long ExpiresAtTicks => Volatile.Read(ref _expiresAtTicks);

    /// <summary>Whether the entry is good, such as the verdict on a valid token. While a good entry is valid, no other kind of entry replaces it.</summary>
    public abstract bool IsGood { get; }

    /// <summary>Among entries that are equally good, the one with the lowest worth is evicted. Positive, and below 2^62.</summary>
    public abstract long Worth { get; }

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && nowTicks >= _startsAtTicks && Epoch == epoch;

    /// <summary>Makes the entry invalid at once, also for code that has already found it.</summary>
    public void End() => Volatile.Write(ref _expiresAtTicks, 0);
}
