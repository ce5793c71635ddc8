namespace McpProxyFast.Tokens;

/// <summary>
/// A lock-free, set-associative cache of fixed size with digests as keys: for verdicts on incoming tokens, and for tokens that were exchanged for them.
/// </summary>
/// <remarks>
/// <para>
/// Memory order: an entry is complete when its constructor has ended, and becomes visible by one reference write with release (<see cref="Add"/>), paired with
/// the acquire in <see cref="Find"/>: a thread that sees the reference sees every field. An entry contains its own digest, expiry and epoch, and a reader
/// checks these, so it never uses the entry of another token.
/// </para>
/// <para>If two writers race, one entry is lost. Then its token is checked or exchanged once more; a wrong result is impossible.</para>
/// </remarks>
/// <param name="ways">Entries per set, a power of two. With larger sets, fewer useful entries are evicted before the cache is full.</param>
internal sealed class TokenCache<TEntry>(int ways)
    where TEntry : CachedEntry
{
    /// <summary>The maximum number of entries.</summary>
    public const int Capacity = 8_192;

    // Valid good entries are rated from here on, all other slots below: the worth of an entry is less than this.
    private const long FirstGood = 1L << 62;

    /// <summary>The entries, set after set; a slot is null if nothing has been stored in it yet.</summary>
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

    /// <summary>Stores an entry in place of the least useful one of its set.</summary>
    /// <remarks>An entry that is not good never replaces a valid good one, so a flood of bad tokens evicts no good entry.</remarks>
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

    /// <summary>
    /// How useful the entry in a slot is; the least useful one is overwritten. In ascending order: an entry with the same digest, an empty slot, an invalid
    /// entry, one that is not good, a good one.
    /// </summary>
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
