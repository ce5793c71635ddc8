using McpProxyFast.Admission;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class RefusalLogTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ListLogger _logger = new();

    [Fact]
    public void ReasonIsWritten()
    {
        new RefusalLog(_logger, _clock).Write(TokenVerdict.Invalid("expired"));

        Assert.Equal(["Token refused: InvalidToken, expired."], _logger.Lines);
    }

    [Fact]
    public void AdmissionIsNotWritten()
    {
        new RefusalLog(_logger, _clock).Write(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));

        Assert.Empty(_logger.Lines);
    }

    [Fact]
    public void FloodIsCountedNotWritten()
    {
        var log = new RefusalLog(_logger, _clock);
        for (int i = 0; i < 100; i++)
        {
            log.Write(TokenVerdict.Invalid("expired"));
        }

        Assert.Equal(5, _logger.Lines.Count);

        _clock.Advance(TimeSpan.FromSeconds(1));
        log.Write(TokenVerdict.Invalid("expired"));

        Assert.Equal(["95 more tokens were refused.", "Token refused: InvalidToken, expired."], _logger.Lines.Skip(5));
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
