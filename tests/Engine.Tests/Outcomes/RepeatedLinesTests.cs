using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Engine.Tests.Outcomes;

public sealed class RepeatedLinesTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ListLogger _logger = new();
    private readonly RepeatedLines _lines;

    public RepeatedLinesTests() => _lines = new RepeatedLines(_logger, _clock);

    [Fact]
    public void FirstIsWrittenAndTheOthersAreCounted()
    {
        Assert.Equal(1, Enumerable.Range(0, 313).Count(_ => _lines.MayWrite(LogLevel.Warning, "upstream-unreachable")));
        Assert.Empty(_logger.Lines);

        _clock.Advance(RepeatedLines.Interval);

        Assert.Equal(["Warning: upstream-unreachable: 312 more of these in the last 10 s, not logged one by one."], _logger.Lines);
    }

    [Fact]
    public void ReasonThatGoesOnIsALinePerInterval()
    {
        for (int interval = 0; interval < 5; interval++)
        {
            for (int i = 0; i < 100; i++)
            {
                Assert.Equal((interval, i) == (0, 0), _lines.MayWrite(LogLevel.Warning, "upstream-unreachable"));
            }

            _clock.Advance(RepeatedLines.Interval);
        }

        Assert.Equal(5, _logger.Lines.Count);
    }

    [Fact]
    public void CountingGoesOnWhateverTheLoggerThrows()
    {
        var thrower = new Thrower();
        var lines = new RepeatedLines(thrower, _clock);
        for (int interval = 0; interval < 3; interval++)
        {
            lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
            lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
            _clock.Advance(RepeatedLines.Interval);
        }

        Assert.Equal(3, thrower.Lines);
    }

    [Fact]
    public void ReasonThatWasQuietIsWrittenInFullAgain()
    {
        Assert.True(_lines.MayWrite(LogLevel.Warning, "upstream-unreachable"));
        _clock.Advance(RepeatedLines.Interval);

        Assert.True(_lines.MayWrite(LogLevel.Warning, "upstream-unreachable"));
    }

    [Fact]
    public void EachReasonCountsByItself()
    {
        Assert.True(_lines.MayWrite(LogLevel.Information, "tokens refused:", "expired"));
        Assert.True(_lines.MayWrite(LogLevel.Information, "tokens refused:", "wrong-issuer"));
        Assert.False(_lines.MayWrite(LogLevel.Information, "tokens refused:", "expired"));

        _clock.Advance(RepeatedLines.Interval);

        Assert.Equal(["Information: tokens refused: expired: 1 more of these in the last 10 s, not logged one by one."], _logger.Lines);
    }

    [Fact]
    public void WhatIsCountedAtTheEndIsWritten()
    {
        _lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
        _lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
        _clock.Advance(TimeSpan.FromSeconds(3));

        _lines.Finish();

        Assert.Equal(["Warning: upstream-unreachable: 1 more of these in the last 3 s, not logged one by one."], _logger.Lines);
    }

    [Fact]
    public void ReasonsAreBounded()
    {
        int written = Enumerable.Range(0, 10 * RepeatedLines.MaxReasons).Count(i => _lines.MayWrite(LogLevel.Warning, "made up", $"{i}"));

        Assert.Equal(RepeatedLines.MaxReasons + 1, written);
        _clock.Advance(RepeatedLines.Interval);
        Assert.Equal([$"Warning: other messages: {(9 * RepeatedLines.MaxReasons) - 1} more of these in the last 10 s, not logged one by one."], _logger.Lines);
    }

    [Fact]
    public void LevelThatIsOffIsNotCounted()
    {
        _logger.Least = LogLevel.Warning;

        Assert.False(_lines.MayWrite(LogLevel.Information, "tokens refused:", "expired"));
        _clock.Advance(RepeatedLines.Interval);
        _logger.Least = LogLevel.Trace;

        Assert.True(_lines.MayWrite(LogLevel.Information, "tokens refused:", "expired"));
    }

    [Fact]
    public void SuppressedLineAllocatesNothing()
    {
        _lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
        _lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            _lines.MayWrite(LogLevel.Warning, "upstream-unreachable");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private sealed class Thrower : ILogger
    {
        public int Lines { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Lines++;
            throw new InvalidOperationException();
        }
    }
}
