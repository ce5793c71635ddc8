using System.Globalization;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli;

/// <summary>Writes one plain line per record to stderr: time, level, text.</summary>
internal sealed class StderrLogger(LogLevel least) : ILogger
{
    /// <summary>Opened now: a process without descriptors has to be able to say so.</summary>
    private readonly TextWriter _errors = Console.Error;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        string line = $"{time} {NameOf(logLevel)} {formatter(state, exception)}{Cause(exception)}";

        // Text that a peer chose must not be able to start a line of its own.
        _errors.WriteLine(line.ReplaceLineEndings(" "));
    }

    private static string Cause(Exception? exception) => exception is null ? "" : $": {exception.GetType().Name}: {exception.Message}";

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
