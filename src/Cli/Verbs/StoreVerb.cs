using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>What the verbs that work on the credential store have in common: they do one thing, say how it went, and end.</summary>
internal static class StoreVerb
{
    /// <param name="options">The flags that every verb has.</param>
    /// <param name="settings">Where they came from.</param>
    /// <param name="act">Does the work and returns what stdout is to say.</param>
    /// <exception cref="FailedException">It failed or was interrupted.</exception>
    public static async Task<int> RunAsync(StoreOptions options, Settings settings, Func<ILogger, CancellationToken, Task<string>> act)
    {
        if (options.Check)
        {
            Standard.Print(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        var logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Warning);
        Secrets.Warn(settings, logger);
        using var signals = new StopSignals();
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
