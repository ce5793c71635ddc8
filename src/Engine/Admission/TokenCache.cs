namespace McpProxyFast.Admission;

/// <summary>Verdicts by token digest, lock-free and bounded: sets of four immutable entries.</summary>
/// <remarks>
/// <para>
/// Memory order: an entry is written by nobody once its constructor is through, and becomes visible by one reference write with release
/// (<see cref="Add"/>), paired with the acquire in <see cref="Find"/>: who sees the reference sees every field. An entry carries its own
/// digest, expiry and epoch, so whichever entry a reader finds in a slot, it takes it only for the token it was made for.
/// </para>
/// <para>A lost race between two writers drops one verdict: that costs one more validation, never a wrong answer.</para>
/// </remarks>
internal sealed class TokenCache
{
    /// <summary>Most verdicts kept. Each holds at most 4 KiB of token and about 1 KiB beside it: 40 MiB when all are at their largest.</summary>
    public const int Capacity = Sets * Ways;

    private const int Sets = 2_048;
    private const int Ways = 4;

    // The worth of a live admission starts here, above that of every refusal: ticks need 62 bits.
    private const long FirstLiveAdmission = 1L << 62;

    /// <summary>The entries, set after set; null where nothing has been kept yet.</summary>
    private readonly CachedVerdict?[] _slots = new CachedVerdict?[Capacity];

    public CachedVerdict? Find(in TokenDigest digest, long nowTicks, int epoch)
    {
        foreach (ref CachedVerdict? slot in SetOf(digest))
        {
            CachedVerdict? entry = Volatile.Read(ref slot);
            if (entry is not null && entry.Digest == digest)
            {
                return entry.IsLive(nowTicks, epoch) ? entry : null;
            }
        }

        return null;
    }

    /// <summary>Keeps an entry, in the place of the least useful of its set.</summary>
    /// <remarks>A refusal never takes the place of a live admission, so a flood of bad tokens evicts no good one.</remarks>
    public void Add(CachedVerdict entry, long nowTicks)
    {
        Span<CachedVerdict?> set = SetOf(entry.Digest);
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

        if (entry.IsAdmitted || least < FirstLiveAdmission)
        {
            Volatile.Write(ref set[victim], entry);
        }
    }

    /// <summary>Ascending: the same token, nothing, void, a refusal by its expiry, an admission by its expiry.</summary>
    private static long WorthOf(CachedVerdict? kept, CachedVerdict entry, long nowTicks)
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

        return kept.IsAdmitted ? FirstLiveAdmission + kept.ExpiresAtTicks : kept.ExpiresAtTicks;
    }

    private Span<CachedVerdict?> SetOf(in TokenDigest digest) =>
        _slots.AsSpan((int)(digest.A % Sets) * Ways, Ways);
}
