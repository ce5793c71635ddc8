using System.Globalization;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli;

/// <summary>Writes each log record as one line (time, level, text) to stderr, or to the log file. It never waits and never throws.</summary>
internal sealed class StderrLogger(LogLevel least, LineWriter errors) : ILogger
{
    /// <summary>The engine's event whose text is only a link. It is written without time and level, so that the link can be clicked and copied.</summary>
    private const string LinkEvent = "SignInLink";

    /// <param name="least">The lowest level that is written.</param>
    public StderrLogger(LogLevel least)
        : this(least, Standard.Errors)
    {
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            errors.Write(LineOf(logLevel, eventId, formatter(state, exception), exception));
        }
    }

    private static string LineOf(LogLevel level, EventId eventId, string text, Exception? exception)
    {
        // Text from a peer must not be able to start a new line, or to control the terminal.
        string plain = PlainText.Of(OptionNames.ToFlags(text + Cause(exception)), LineWriter.MaxLineCharacters);
        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return eventId.Name == LinkEvent ? plain : $"{time} {NameOf(level)} {plain}";
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
