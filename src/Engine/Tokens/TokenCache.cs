namespace McpProxyFast.Tokens;

/// <summary>A lock-free, bounded, set-associative cache by digest: for verdicts on incoming tokens, and for tokens that were exchanged for them.</summary>
/// <remarks>
/// <para>
/// Memory order: an entry is complete when its constructor is through, and becomes visible by one reference write with release
/// (<see cref="Add"/>), paired with the acquire in <see cref="Find"/>: a thread that sees the reference sees every field. An entry carries its own
/// digest, expiry and epoch, so whichever entry a reader finds in a slot, it takes it only for what it was made for.
/// </para>
/// <para>A lost race between two writers drops one entry: that costs asking once more, never a wrong answer.</para>
/// </remarks>
/// <param name="ways">Entries per set, a power of two. With more ways, fewer useful entries are evicted before the cache is full.</param>
internal sealed class TokenCache<TEntry>(int ways)
    where TEntry : CachedEntry
{
    /// <summary>Most entries kept.</summary>
    public const int Capacity = 8_192;

    // The worth of a live and good entry starts here, above that of every other: ticks need 62 bits.
    private const long FirstGood = 1L << 62;

    /// <summary>The entries, set after set; null if nothing has been kept yet.</summary>
    private readonly TEntry?[] _slots = new TEntry?[Capacity];

    public TEntry? Find(in TokenDigest digest, long nowTicks, int epoch)
    {
        foreach (ref TEntry? slot in SetOf(digest))
        {
            TEntry? entry = Volatile.Read(ref slot);
            if (entry is not null && entry.Digest == digest)
            {
                return entry.IsLive(nowTicks, epoch) ? entry : null;
            }
        }

        return null;
    }

    /// <summary>Keeps an entry, in the place of the least useful of its set.</summary>
    /// <remarks>One that is not good never takes the place of a live one that is, so a flood of bad tokens evicts no good one.</remarks>
    public void Add(TEntry entry, long nowTicks)
    {
        Span<TEntry?> set = SetOf(entry.Digest);
        int victim = 0;
        long least = long.MaxValue;
        for (int way = 0; way < set.Length; way++)
        {
            long worth = WorthOf(Volatile.Read(ref set[way]), entry, nowTicks);
            if (worth < least)
            {
                (victim, least) = (way, worth);
            }
        }

        if (entry.IsGood || least < FirstGood)
        {
            Volatile.Write(ref set[victim], entry);
        }
    }

    /// <summary>Ascending: the same token, nothing, void, one that is not good, a good one.</summary>
    private static long WorthOf(TEntry? kept, TEntry entry, long nowTicks)
    {
        if (kept is null)
        {
            return -1;
        }

        if (kept.Digest == entry.Digest)
        {
            return -2;
        }

        if (!kept.IsLive(nowTicks, entry.Epoch))
        {
            return 0;
        }

        return kept.IsGood ? FirstGood + kept.Worth : kept.Worth;
    }

    private Span<TEntry?> SetOf(in TokenDigest digest) =>
        _slots.AsSpan((int)(digest.A % (ulong)(Capacity / ways)) * ways, ways);
}
