using McpProxyFast.Tokens;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Engine.Tests.Tokens;

public sealed class FlightsTests
{
    private static readonly TokenDigest One = TokenDigest.Of("one"u8);
    private static readonly TokenDigest Other = TokenDigest.Of("other"u8);

    private static readonly TokenDigest Third = TokenDigest.Of("third"u8);

    private readonly FakeTimeProvider _clock = new();
    private readonly Flights<Work, string> _flights = new(new FlightLimits(Running: 1, Waiting: 0, MaxWait: TimeSpan.Zero), (_, _) => "too many", TimeProvider.System);
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

    [Fact]
    public async Task WorkThatFindsNoTurnWaitsForOneAndOnlyBeyondTheQueueIsRefused()
    {
        Flights<Work, string> flights = WithQueue(waiting: 1);
        var started = new List<TokenDigest>();
        Work first = flights.Join(One, new Work(), DoAsync, out _);
        Work second = flights.Join(Other, new Work(), DoAsync, out _);

        Assert.Equal("too many", await flights.Join(Third, new Work(), DoAsync, out _).Task);
        Assert.Same(second, flights.Join(Other, new Work(), DoAsync, out bool isOwn));
        Assert.False(isOwn);
        _result.SetResult("done");
        Assert.Equal(["done", "done"], await Task.WhenAll(first.Task, second.Task));
        Assert.Equal(2, started.Count);
        Assert.Equal("done", await flights.Join(Third, new Work(), DoAsync, out _).Task);

        Task<string> DoAsync(TokenDigest digest, Work work)
        {
            lock (started)
            {
                started.Add(digest);
            }

            return _result.Task;
        }
    }

    [Fact]
    public async Task NoMoreIsDoneAtATimeThanThereAreTurns()
    {
        Flights<Work, string> flights = WithQueue(waiting: 100);
        int running = 0;
        int most = 0;
        Work[] all = [.. Enumerable.Range(0, 100).Select(index => flights.Join(TokenDigest.Of([(byte)index]), new Work(), DoAsync, out _))];
        await Task.WhenAll(all.Select(work => work.Task));

        Assert.Equal(1, most);

        async Task<string> DoAsync(TokenDigest digest, Work work)
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return "done";
        }
    }

    [Fact]
    public async Task TurnsAreGivenInTheOrderInWhichTheWorkCame()
    {
        Flights<Work, string> flights = WithQueue(waiting: 100);
        var begun = new List<int>();
        Work[] all = [.. Enumerable.Range(0, 100).Select(index => flights.Join(TokenDigest.Of([(byte)index]), new Work(), (_, _) => DoAsync(index), out _))];
        await Task.WhenAll(all.Select(work => work.Task));

        Assert.Equal(Enumerable.Range(0, 100), begun);

        async Task<string> DoAsync(int index)
        {
            begun.Add(index); // one at a time
            await Task.Yield();
            return "done";
        }
    }

    [Fact]
    public async Task WhoHasWaitedTooLongIsRefusedAndLeavesThePlace()
    {
        Flights<Work, string> flights = WithQueue(waiting: 1);
        Work first = flights.Join(One, new Work(), (_, _) => _result.Task, out _);
        Work late = flights.Join(Other, new Work(), (_, _) => _result.Task, out _);
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(late.Task.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("too many", await late.Task);
        Assert.False(first.Task.IsCompleted);
        Work next = flights.Join(Third, new Work(), (_, _) => _result.Task, out _);
        _result.SetResult("done");
        Assert.Equal("done", await next.Task);
    }

    private Flights<Work, string> WithQueue(int waiting) =>
        new(new FlightLimits(Running: 1, waiting, MaxWait: TimeSpan.FromSeconds(10)), (_, _) => "too many", _clock);

    private Work Join(TokenDigest digest, out bool isOwn) => _flights.Join(digest, new Work(), (_, _) => _result.Task, out isOwn);

    private sealed class Work : Flight<string>;
}
