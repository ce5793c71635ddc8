using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

public sealed class BurstCollectorTests
{
    private readonly BurstCollector _collector;
    private int _open;
    private int _collections;
    private long _now;

    public BurstCollectorTests() => _collector = new BurstCollector(() => _open, () => _collections++);

    [Fact]
    public void BurstIsFollowedByOneCollectionOnceTheCountHoldsStill()
    {
        Beat(open: 1_500, beats: 1);
        Assert.Equal(0, _collections);

        Beat(open: 1_500, beats: 100);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void ThereIsNoneWhileConnectionsStillComeAndGo()
    {
        for (int i = 0; i < 100; i++)
        {
            Beat(open: 2_000 + i, beats: 1);
        }

        Assert.Equal(0, _collections);
    }

    [Fact]
    public void TheBurstsEndIsFollowedByAnother()
    {
        Beat(open: 1_500, beats: 100);
        Beat(open: 3, beats: 100);

        Assert.Equal(2, _collections);
    }

    [Fact]
    public void FewConnectionsAreNoBurst()
    {
        Beat(open: 999, beats: 100);
        Beat(open: 0, beats: 100);

        Assert.Equal(0, _collections);
    }

    [Fact]
    public void SlowGrowthIsABurstOnceItIsLargeEnough()
    {
        for (int open = 100; open <= 1_000; open += 100)
        {
            Beat(open, beats: 100);
        }

        Assert.Equal(1, _collections);
    }

    private void Beat(int open, int beats)
    {
        _open = open;
        for (int i = 0; i < beats; i++)
        {
            _now += 100;
            _collector.OnBeat(_now);
        }
    }
}
