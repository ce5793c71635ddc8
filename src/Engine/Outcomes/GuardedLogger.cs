using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Wraps the host program's logger and ignores its exceptions: a logger that throws must not end a connection, the accept loop or the process.
/// </summary>
/// <remarks>This class cannot help if the logger blocks. The host program must avoid that, as <see cref="McpProxyOptions.Logger"/> says.</remarks>
internal sealed class GuardedLogger : ILogger
{
    private readonly ILogger _logger;

    private GuardedLogger(ILogger logger) => _logger = logger;

    /// <summary>Wraps a logger. A logger that is wrapped already is returned unchanged.</summary>
    public static ILogger Around(ILogger logger) => logger as GuardedLogger ?? new GuardedLogger(logger);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null; // the engine uses no log scopes

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return _logger.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            _logger.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // A failure of the logger cannot be reported: there is no other place to log it.
        }
    }
}
