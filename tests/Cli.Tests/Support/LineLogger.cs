using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>Keeps what is logged.</summary>
public sealed class LineLogger : ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue(formatter(state, exception));
}
