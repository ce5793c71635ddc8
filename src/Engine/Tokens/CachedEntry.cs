namespace McpProxyFast.Tokens;

/// <summary>A cache entry: its key, and the time from which it is void. Nothing else changes after construction, except that it can be ended early.</summary>
internal abstract class CachedEntry(in TokenDigest digest, long expiresAtTicks, int epoch)
{
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

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && Epoch == epoch;

    /// <summary>Makes the entry void for everybody who holds it.</summary>
    public void End() => Volatile.Write(ref _expiresAtTicks, 0);
}
