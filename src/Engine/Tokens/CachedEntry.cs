namespace McpProxyFast.Tokens;

/// <summary>What is known by a digest, and until when. But for its early end, nothing of it ever changes.</summary>
internal abstract class CachedEntry(in TokenDigest digest, long expiresAtTicks, int epoch)
{
    /// <summary>UTC ticks from which on the entry is void; 0 once it has been ended early.</summary>
    private long _expiresAtTicks = expiresAtTicks;

    /// <summary>What it is known by.</summary>
    public TokenDigest Digest { get; } = digest;

    /// <summary>The epoch in which it was made: an entry of an earlier one is void.</summary>
    public int Epoch { get; } = epoch;

    /// <summary>UTC ticks from which on the entry is void.</summary>
    public long ExpiresAtTicks => Volatile.Read(ref _expiresAtTicks);

    /// <summary>Good for something: while it lives, none that is not takes its place.</summary>
    public abstract bool IsGood { get; }

    /// <summary>Of those that are equally good, the one with the least makes room. Positive, and below 2^62.</summary>
    public abstract long Worth { get; }

    public bool IsLive(long nowTicks, int epoch) => ExpiresAtTicks > nowTicks && Epoch == epoch;

    /// <summary>Voids it, wherever it has been kept.</summary>
    public void End() => Volatile.Write(ref _expiresAtTicks, 0);
}
