using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>What is logged; a test awaits a line.</summary>
internal sealed class LogLines : ILogger
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Writer.TryWrite(formatter(state, exception));

    /// <summary>Waits for a line with that text. For one reader.</summary>
    public async Task SeenAsync(string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await _lines.Reader.ReadAsync(patience.Token)).Contains(text, StringComparison.Ordinal))
        {
            // Another one.
        }
    }
}
