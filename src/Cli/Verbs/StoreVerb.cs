using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>The common part of the verbs that work on the credential store: they do one thing, print the result, and end.</summary>
internal static class StoreVerb
{
    /// <param name="options">The options of the verb.</param>
    /// <param name="settings">The settings that the options were read from.</param>
    /// <param name="act">Does the work and returns the text to print on stdout.</param>
    /// <exception cref="FailedException">The work failed or was interrupted.</exception>
    public static async Task<int> RunAsync(StoreOptions options, Settings settings, Func<ILogger, CancellationToken, Task<string>> act)
    {
        if (options.Check)
        {
            Standard.Print(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        var logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Warning);
        Secrets.Warn(settings, logger);
        var signals = new StopSignals();
        try
        {
            Standard.Print(await act(logger, signals.Stopping));
            return ExitCode.Stopped;
        }
        catch (InvalidOperationException e)
        {
            throw new FailedException(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FailedException($"the credential store cannot be used: {e.Message}");
        }
        catch (OperationCanceledException) when (signals.Stopping.IsCancellationRequested)
        {
            throw new FailedException("interrupted");
        }
    }
}
