using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>Wraps a host's logger and swallows its exceptions: a logger that fails must not end a connection, the accept loop or the process.</summary>
/// <remarks>A logger that blocks holds up the thread that called it. The host must avoid that, as <see cref="McpProxyOptions.Logger"/> says.</remarks>
internal sealed class GuardedLogger : ILogger
{
    private readonly ILogger _logger;

    private GuardedLogger(ILogger logger) => _logger = logger;

    /// <summary>Wraps the logger; if it is wrapped already, it is returned unchanged.</summary>
    public static ILogger Around(ILogger logger) => logger as GuardedLogger ?? new GuardedLogger(logger);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null; // the engine opens none

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
