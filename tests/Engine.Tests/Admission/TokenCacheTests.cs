using System.Globalization;
using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Tokens;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class TokenCacheTests
{
    private const int Epoch = 1;
    private const long Now = 1_000;

    private readonly TokenCache<CachedVerdict> _cache = new(ways: 4);

    [Fact]
    public void EntryIsFoundByItsDigestUntilItExpires()
    {
        CachedVerdict entry = Admission("token", expiresAtTicks: Now + 10);
        _cache.Add(entry, Now);

        Assert.Same(entry, _cache.Find(entry.Digest, Now + 9, Epoch));
        Assert.Null(_cache.Find(entry.Digest, Now + 10, Epoch));
        Assert.Null(_cache.Find(TokenDigest.Of("other"u8), Now, Epoch));
    }

    [Fact]
    public void EntryOfAnEarlierEpochIsVoid()
    {
        CachedVerdict entry = Admission("token", expiresAtTicks: Now + 10);
        _cache.Add(entry, Now);

        Assert.Null(_cache.Find(entry.Digest, Now, Epoch + 1));
    }

    [Fact]
    public void LaterVerdictOnATokenReplacesTheEarlier()
    {
        CachedVerdict later = Admission("token", expiresAtTicks: Now + 20);
        _cache.Add(Admission("token", expiresAtTicks: Now + 10), Now);
        _cache.Add(later, Now);

        Assert.Same(later, _cache.Find(later.Digest, Now, Epoch));
    }

    [Fact]
    public void RefusalsNeverEvictLiveAdmissions()
    {
        CachedVerdict[] good = FillOneSet(Now + 10_000_000);
        for (int i = 0; i < TokenCache<CachedVerdict>.Capacity * 4; i++)
        {
            _cache.Add(Refusal($"bad-{i.ToString(CultureInfo.InvariantCulture)}"), Now);
        }

        Assert.All(good, entry => Assert.Same(entry, _cache.Find(entry.Digest, Now, Epoch)));
    }

    [Fact]
    public void AdmissionTakesThePlaceOfTheOneThatExpiresFirst()
    {
        CachedVerdict[] good = FillOneSet(Now + 1_000);
        CachedVerdict newest = InTheSetOf(good[0], index: 5, Now + 2_000);
        _cache.Add(newest, Now);

        Assert.Same(newest, _cache.Find(newest.Digest, Now, Epoch));
        Assert.Null(_cache.Find(good[0].Digest, Now, Epoch));
        Assert.All(good[1..], entry => Assert.Same(entry, _cache.Find(entry.Digest, Now, Epoch)));
    }

    [Fact]
    public void AdmissionPrefersThePlaceOfARefusal()
    {
        CachedVerdict[] good = FillOneSet(Now + 1_000)[..3];
        var cache = new TokenCache<CachedVerdict>(ways: 4);
        CachedVerdict refusal = new(good[0].Digest with { D = 99 }, [], TokenVerdict.Invalid("x"), madeAtTicks: 0, Now + 5_000, Epoch);
        foreach (CachedVerdict entry in good.Append(refusal))
        {
            cache.Add(entry, Now);
        }

        CachedVerdict newest = InTheSetOf(good[0], index: 5, Now + 10);
        cache.Add(newest, Now);

        Assert.All(good.Append(newest), entry => Assert.Same(entry, cache.Find(entry.Digest, Now, Epoch)));
        Assert.Null(cache.Find(refusal.Digest, Now, Epoch));
    }

    /// <summary>Four admissions that fill one set, the first of which expires first.</summary>
    private CachedVerdict[] FillOneSet(long expiresAtTicks)
    {
        CachedVerdict first = Admission("good", expiresAtTicks);
        CachedVerdict[] set = [first, .. Enumerable.Range(1, 3).Select(index => InTheSetOf(first, index, expiresAtTicks + index))];
        Array.ForEach(set, entry => _cache.Add(entry, Now));
        return set;
    }

    /// <summary>It was to hold for a minute: after a clock was set back by an hour it would hold for an hour more.</summary>
    [Fact]
    public void VerdictEndsWhereTheClockGoesBackBehindItsMaking()
    {
        var cache = new TokenCache<CachedVerdict>(4);
        byte[] token = Encoding.ASCII.GetBytes("token");
        var verdict = new CachedVerdict(
            TokenDigest.Of(token), token, TokenVerdict.Admit("caller", DateTimeOffset.MaxValue), Now, Now + TimeSpan.TicksPerMinute, Epoch);
        cache.Add(verdict, Now);

        Assert.Same(verdict, cache.Find(verdict.Digest, Now - CachedEntry.MaxSetBack, Epoch));
        Assert.Null(cache.Find(verdict.Digest, Now - CachedEntry.MaxSetBack - 1, Epoch));
    }

    private static CachedVerdict InTheSetOf(CachedVerdict other, int index, long expiresAtTicks) =>
        new(other.Digest with { D = (ulong)index }, [], TokenVerdict.Admit("caller", DateTimeOffset.MaxValue), madeAtTicks: 0, expiresAtTicks, Epoch);

    private static CachedVerdict Admission(string token, long expiresAtTicks) =>
        Entry(token, TokenVerdict.Admit("caller", DateTimeOffset.MaxValue), expiresAtTicks);

    private static CachedVerdict Refusal(string token) => Entry(token, TokenVerdict.Invalid("bad"), Now + 1_000_000);

    private static CachedVerdict Entry(string token, TokenVerdict verdict, long expiresAtTicks)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(token);
        return new CachedVerdict(TokenDigest.Of(bytes), bytes, verdict, madeAtTicks: 0, expiresAtTicks, Epoch);
    }
}
