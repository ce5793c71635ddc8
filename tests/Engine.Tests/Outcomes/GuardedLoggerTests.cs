using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;
using Xunit;

namespace McpProxyFast.Engine.Tests.Outcomes;

public sealed class GuardedLoggerTests
{
    [Fact]
    public void WhatALoggerThrowsReachesNobody()
    {
        ILogger logger = GuardedLogger.Around(new ThrowingLogger());

        logger.KeysChanged();
        logger.ConnectionCut(new IOException("broken"));
        Assert.False(logger.IsEnabled(LogLevel.Critical));
    }

    [Fact]
    public void GuardIsPutAroundOnce()
    {
        ILogger logger = GuardedLogger.Around(new ThrowingLogger());

        Assert.Same(logger, GuardedLogger.Around(logger));
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new IOException("No space left on device");

        public bool IsEnabled(LogLevel logLevel) => throw new IOException("No space left on device");

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new IOException("No space left on device");
    }
}
