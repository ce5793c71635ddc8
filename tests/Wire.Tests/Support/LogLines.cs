using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>The engine's log, at every level.</summary>
internal sealed class LogLines : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<(string Marker, TaskCompletionSource Written)> _waiting = new();

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
        foreach ((string marker, TaskCompletionSource written) in _waiting)
        {
            if (With(marker).Length > 0)
            {
                written.TrySetResult();
            }
        }
    }

    /// <summary>The lines so far that contain a text.</summary>
    public string[] With(string text) => [.. _lines.Where(line => line.Contains(text, StringComparison.Ordinal))];

    /// <summary>Waits for a line that contains a text.</summary>
    public Task UntilAsync(string text)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue((text, written));
        return With(text).Length > 0 ? Task.CompletedTask : written.Task.Soon();
    }
}
