using McpProxyFast.Upstream;

namespace McpProxyFast.Engine.Tests.Upstream;

/// <summary>What is learned from connections that the upstream closes while they are idle. All times are milliseconds.</summary>
public sealed class IdleTimeoutEstimateTests
{
    private readonly IdleTimeoutEstimate _estimate = new();

    [Fact]
    public void NothingIsKnownAtFirst() => Assert.Equal(long.MaxValue, _estimate.SafeIdle(0));

    [Fact]
    public void OneCloseTeachesNothing()
    {
        _estimate.Closed(2_000, 10_000);
        Assert.Equal(long.MaxValue, _estimate.SafeIdle(10_000));
    }

    /// <summary>Two idle times; how long a connection may then be idle.</summary>
    [Theory]
    [InlineData(2_000, 2_000, 1_000)]
    [InlineData(2_200, 2_000, 1_000)]
    [InlineData(2_000, 2_200, 1_000)]
    [InlineData(1_000, 1_000, 500)]
    [InlineData(5_000, 5_500, 4_000)]
    [InlineData(60_000, 60_100, 59_000)]
    public void TwoClosesAtAboutTheSameIdleTimeTeachItLessAMargin(int first, int second, int safe)
    {
        _estimate.Closed(first, 10_000);
        _estimate.Closed(second, 12_000);
        Assert.Equal(safe, _estimate.SafeIdle(12_000));
    }

    [Theory]
    [InlineData(2_000, 3_000)]
    [InlineData(1_000, 600)]
    public void ClosesAtDifferentIdleTimesTeachNothing(int one, int other)
    {
        for (int i = 0; i < 5; i++)
        {
            _estimate.Closed(one, 10_000 + (4_000 * i));
            _estimate.Closed(other, 12_000 + (4_000 * i));
        }

        Assert.Equal(long.MaxValue, _estimate.SafeIdle(32_000));
    }

    [Fact]
    public void ManyClosesAtOnceTeachNothing()
    {
        foreach (long idle in (long[])[2_000, 2_000, 2_100, 700, 1_400, 1_400, 3_600])
        {
            _estimate.Closed(idle, 10_000);
        }

        Assert.Equal(long.MaxValue, _estimate.SafeIdle(10_000));
    }

    [Fact]
    public void CloseThatFollowsAGroupAtItsIdleTimeConfirmsIt()
    {
        _estimate.Closed(2_000, 10_000);
        _estimate.Closed(2_000, 10_100);
        _estimate.Closed(2_000, 10_400);
        Assert.Equal(long.MaxValue, _estimate.SafeIdle(10_400));
        _estimate.Closed(2_000, 10_500);
        Assert.Equal(1_000, _estimate.SafeIdle(10_500));
    }

    /// <summary>Servers that close after every answer, or after a number of requests, have no such limit: the warm path goes on.</summary>
    [Fact]
    public void ClosesRightAfterAnAnswerTeachNothing()
    {
        for (int i = 0; i < 10; i++)
        {
            _estimate.Closed(IdleTimeoutEstimate.Shortest - 1, 10_000 + (1_000 * i));
        }

        Assert.Equal(long.MaxValue, _estimate.SafeIdle(20_000));
    }

    [Fact]
    public void ShortestIdleTimeCounts()
    {
        Teach(5_000, 10_000);
        Teach(2_000, 20_000);
        Teach(5_000, 30_000);
        Assert.Equal(1_000, _estimate.SafeIdle(40_000));
    }

    /// <summary>A restart closes connections of every idle time, so each may be a little shorter than the one before.</summary>
    [Fact]
    public void ClosesThatAreALittleEarlierEachTimeDoNotLowerIt()
    {
        Teach(5_000, 10_000);
        for (int i = 0; i < 20; i++)
        {
            _estimate.Closed(5_000 - (200 * i), 20_000);
        }

        Assert.Equal(4_000, _estimate.SafeIdle(20_000));
    }

    [Fact]
    public void WhatNoCloseConfirmsIsForgotten()
    {
        Teach(2_000, 10_000);
        Assert.Equal(1_000, _estimate.SafeIdle(11_000 + IdleTimeoutEstimate.Memory - 1));
        Assert.Equal(long.MaxValue, _estimate.SafeIdle(11_000 + IdleTimeoutEstimate.Memory));
    }

    [Fact]
    public void WhatACloseConfirmsIsKept()
    {
        Teach(2_000, 10_000);
        _estimate.Closed(2_100, 10_000 + IdleTimeoutEstimate.Memory);
        Assert.Equal(1_000, _estimate.SafeIdle(9_000 + (2 * IdleTimeoutEstimate.Memory)));
    }

    [Fact]
    public void ServerWithALongerLimitIsLearnedOnceTheShorterOneIsForgotten()
    {
        Teach(2_000, 10_000);
        Teach(5_000, 11_000 + IdleTimeoutEstimate.Memory);
        Assert.Equal(4_000, _estimate.SafeIdle(12_000 + IdleTimeoutEstimate.Memory));
    }

    [Fact]
    public async Task ClosesOnManyThreadsAreAllLearnedFrom()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                _estimate.Closed(2_000, 10_000 + i);
            }
        })));

        Assert.Equal(1_000, _estimate.SafeIdle(11_000));
    }

    /// <summary>Two closes, a second apart.</summary>
    private void Teach(long idle, long now)
    {
        _estimate.Closed(idle, now);
        _estimate.Closed(idle, now + 1_000);
    }
}
