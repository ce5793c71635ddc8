namespace McpProxyFast.Tokens;

/// <summary>A cache entry: its key, and the time from which it is void. Nothing else changes after construction, except that it can be ended early.</summary>
/// <param name="digest">The key.</param>
/// <param name="madeAtTicks">UTC ticks at which it was made.</param>
/// <param name="expiresAtTicks">UTC ticks from which on it is void.</param>
/// <param name="epoch">The epoch in which it was made.</param>
internal abstract class CachedEntry(in TokenDigest digest, long madeAtTicks, long expiresAtTicks, int epoch)
{
    /// <summary>By how much a clock may go back, as it does when it is adjusted, without a loss of entries.</summary>
    public const long MaxSetBack = TimeSpan.TicksPerSecond;

    /// <summary>UTC ticks before which the entry is void: the clock has been set back, and it would live longer than it may. Never changes.</summary>
    private readonly long _startsAtTicks = madeAtTicks - MaxSetBack;

    /// <summary>UTC ticks from which on the entry is void; 0 once it has been ended early.</summary>
    private long _expiresAtTicks = expiresAtTicks;

    /// <summary>The key.</summary>
    public TokenDigest Digest { get; } = digest;

    /// <summary>The epoch in which it was made: an entry of an earlier one is void.</summary>
    public int Epoch { get; } = epoch;

    /// <summary>UTC ticks from which on the entry is void.</summary>
    public long ExpiresAtTicks => Volatile.Read(ref _expiresAtTicks);

    /// <summary>Whether the entry is useful. While it is live, no entry that is not good replaces it.</summary>
    public abstract bool IsGood { get; }

    /// <summary>Among entries that are equally good, the one with the lowest worth is evicted. Positive, and below 2^62.</summary>
    public abstract long Worth { get; }

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && nowTicks >= _startsAtTicks && Epoch == epoch;

    /// <summary>Makes the entry void for everybody who holds it.</summary>
    public void End() => Volatile.Write(ref _expiresAtTicks, 0);
}
