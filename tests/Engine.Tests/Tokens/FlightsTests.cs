using McpProxyFast.Tokens;
using Xunit;

namespace McpProxyFast.Engine.Tests.Tokens;

public sealed class FlightsTests
{
    private static readonly TokenDigest One = TokenDigest.Of("one"u8);
    private static readonly TokenDigest Other = TokenDigest.Of("other"u8);

    private readonly Flights<Work, string> _flights = new(most: 1, tooMany: "too many");
    private readonly TaskCompletionSource<string> _result = new();

    [Fact]
    public async Task WhoWantsTheSameJoinsTheWorkUnderWay()
    {
        Work first = Join(One, out bool isOwn);
        Work second = Join(One, out bool isOwnToo);
        _result.SetResult("done");

        Assert.Same(first, second);
        Assert.Equal((true, false), (isOwn, isOwnToo));
        Assert.Equal("done", await first.Task);
    }

    [Fact]
    public async Task WhoLeavesEndsTheWaitOfNobodyElse()
    {
        using var leaving = new CancellationTokenSource();
        Task<string> gone = Join(One, out _).Task.WaitAsync(leaving.Token);
        Task<string> stays = Join(One, out _).Task.WaitAsync(CancellationToken.None);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        _result.SetResult("done");

        Assert.Equal("done", await stays);
    }

    [Fact]
    public async Task OneTooManyIsToldSoAndTakesNoPlace()
    {
        Work first = Join(One, out _);

        Assert.Equal("too many", await Join(Other, out _).Task);
        _result.SetResult("done");
        await first.Task;
        Assert.Equal("done", await Join(Other, out _).Task);
    }

    [Fact]
    public async Task WorkThatThrowsEndsItsFlight()
    {
        Work failed = _flights.Join(One, new Work(), (_, _) => throw new InvalidOperationException("bug"), out _);
        await Assert.ThrowsAsync<InvalidOperationException>(() => failed.Task);
        _result.SetResult("done");

        Assert.Equal("done", await Join(One, out _).Task);
    }

    private Work Join(TokenDigest digest, out bool isOwn) => _flights.Join(digest, new Work(), (_, _) => _result.Task, out isOwn);

    private sealed class Work : Flight<string>;
}
