using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Engine.Tests;

public sealed class SupervisedTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider _clock = new();
    private int _turns;

    public static TheoryData<Exception> Faults => [.. Exceptions.OfEveryKind];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task NothingThatATurnThrowsEndsTheTurns(Exception fault)
    {
        await using Supervised loop = Loop(_ => _turns++ == 0 ? throw fault : Task.FromResult(Period));

        loop.Begin();
        _clock.Advance(Supervised.FirstPause);
        _clock.Advance(Period);

        Assert.Equal(3, _turns);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task NothingThatATurnThrowsLaterEndsTheTurns(Exception fault)
    {
        var failing = new TaskCompletionSource<TimeSpan>();
        var second = new TaskCompletionSource();
        await using Supervised loop = Loop(_ =>
        {
            if (_turns++ == 0)
            {
                return failing.Task;
            }

            second.TrySetResult();
            return Task.FromResult(Period);
        });

        loop.Begin();
        failing.SetException(fault);

        // The turn ends on another thread; when it has, the pause begins.
        await Patience.NudgeUntilEndedAsync(second.Task, () => _clock.Advance(Supervised.FirstPause));
    }

    [Fact]
    public async Task RowOfFailuresIsToldOnceByItsTypeAlone()
    {
        var log = new Lines();
        await using Supervised loop = Loop(_ => _turns++ == 3 ? Task.FromResult(Period) : throw new IOException("s3cret"), log);

        loop.Begin();
        for (int i = 0; i < 10; i++)
        {
            _clock.Advance(Supervised.MaxPause);
        }

        // The first row ends with the fourth turn, the second never.
        Assert.Equal(2, log.Count);
        Assert.All(log, line => Assert.StartsWith("A background task, the loop, failed with System.IO.IOException.", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task LoggerThatThrowsEndsNothing()
    {
        await using Supervised loop = Loop(_ => _turns++ == 0 ? throw new IOException() : Task.FromResult(Period), new Thrower());

        loop.Begin();
        _clock.Advance(Supervised.FirstPause);

        Assert.Equal(2, _turns);
    }

    [Fact]
    public async Task PauseGrowsUpToItsBound()
    {
        List<DateTimeOffset> at = [];
        await using Supervised loop = Loop(_ =>
        {
            at.Add(_clock.GetUtcNow());
            throw new IOException();
        });

        loop.Begin();
        for (int i = 0; i < 300; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], at.Zip(at.Skip(1), (one, next) => (next - one).TotalSeconds));
    }

    [Fact]
    public async Task TurnThatComesDueDuringAnotherFollowsIt()
    {
        var first = new TaskCompletionSource<TimeSpan>();
        var second = new TaskCompletionSource();
        await using Supervised loop = Loop(_ =>
        {
            if (_turns++ == 0)
            {
                return first.Task;
            }

            second.TrySetResult();
            return Task.FromResult(Period);
        });
        loop.Begin();

        loop.Begin();
        Assert.Equal(1, _turns);
        first.SetResult(Period);

        await second.Task.Soon();
    }

    [Fact]
    public async Task WhatIsScheduledGoesBeforeWhatTheTurnSays()
    {
        Supervised? self = null;
        await using Supervised loop = Loop(_ =>
        {
            _turns++;
            self!.Schedule(TimeSpan.FromSeconds(2));
            return Task.FromResult(Period);
        });
        self = loop;
        loop.Begin();

        _clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(2, _turns);
    }

    [Fact]
    public async Task EndCancelsTheTurnAndWaitsForIt()
    {
        bool hasEnded = false;
        Supervised loop = Loop(async stopping =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, stopping);
            }
            finally
            {
                hasEnded = true;
            }

            return Period;
        });
        loop.Begin();

        await loop.DisposeAsync();

        Assert.True(hasEnded);
        loop.Begin();
        loop.Schedule(TimeSpan.Zero);
        Assert.Equal(0, _turns);
    }

    private Supervised Loop(Func<CancellationToken, Task<TimeSpan>> turn, ILogger? logger = null) =>
        new("loop", turn, _clock, logger ?? NullLogger.Instance);

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add(formatter(state, exception));
    }

    private sealed class Thrower : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new IOException("The disk is full.");
    }
}
