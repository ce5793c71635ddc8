namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>How long the bridge waits before it opens a server's stream again.</summary>
public sealed class ReopenPauseTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void PauseThatTheServerAsksForHoldsUntilItAsksForAnother()
    {
        var pause = new ReopenPause();

        Assert.Equal(TimeSpan.FromSeconds(5), pause.AfterStream(TimeSpan.FromSeconds(5), hasBrought: false));
        Assert.Equal(TimeSpan.FromSeconds(5), pause.AfterStream(null, hasBrought: true));
        Assert.Equal(TimeSpan.FromSeconds(2), pause.AfterStream(TimeSpan.FromSeconds(2), hasBrought: true));
    }

    [Fact]
    public void PauseIsASecondUnlessTheServerAsksForAnother() =>
        Assert.Equal(TimeSpan.FromSeconds(1), new ReopenPause().AfterStream(null, hasBrought: false));

    [Fact]
    public void PauseThatIsTooLongIsCut() =>
        Assert.Equal(TimeSpan.FromSeconds(30), new ReopenPause().AfterStream(TimeSpan.FromDays(40), hasBrought: false));

    [Fact]
    public void NoPauseIsBelowAFloorThatDoublesWhileNothingComes()
    {
        var pause = new ReopenPause();

        TimeSpan[] pauses = [.. Enumerable.Range(0, 6).Select(_ => pause.AfterStream(TimeSpan.Zero, hasBrought: false))];

        Assert.Equal([Short, Short * 2, Short * 4, Short * 8, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)], pauses);
        Assert.Equal(Short, pause.AfterStream(TimeSpan.Zero, hasBrought: true));
    }

    [Fact]
    public void FailuresDoubleThePauseUntilAStreamOpens()
    {
        var pause = new ReopenPause();
        pause.AfterStream(TimeSpan.FromSeconds(3), hasBrought: true);

        TimeSpan[] pauses = [.. Enumerable.Range(0, 5).Select(_ => pause.AfterFailure())];

        Assert.Equal([6, 12, 24, 30, 30], pauses.Select(each => each.TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(3), pause.AfterStream(null, hasBrought: true));
    }
}
