using System.Net;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast proxy</c>: the HTTP proxy.</summary>
internal static class ProxyVerb
{
    public static Task<int> RunAsync(ProxyOptions options, Settings settings) => RunAsync(options, settings, companion: null);

    /// <summary>Runs the proxy, and what runs beside it.</summary>
    /// <param name="options">The options of the verb. <see cref="ProxyOptions.TargetUri"/> is set, also for a tunnel.</param>
    /// <param name="settings">The settings that the options were read from.</param>
    /// <param name="companion">What runs beside the proxy, such as a tunnel; null if nothing does.</param>
    public static async Task<int> RunAsync(ProxyOptions options, Settings settings, IProxyCompanion? companion)
    {
        var logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Information);
        Prerequisites.Check(options);
        McpProxyOptions engine = ProxyFlags.ToEngine(options, settings, logger) with { AddedFields = await ForwardFlags.ReadAsync(options, logger) };
        bool addsField = ForwardFlags.AddCredential(options);
        bool addsCredential = engine.Outgoing is not null || addsField;
        Exposure.Refuse(engine, options.Host, addsField, options.AllowUnprotected);
        await using McpProxy proxy = FlagValue.Accepted(FlagNames.Proxy, () => new McpProxy(engine));
        companion?.Refuse(engine, addsCredential);
        if (options.Check)
        {
            Standard.Print(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        await (companion?.RequireAsync() ?? Task.CompletedTask);
        var signals = new StopSignals(outlivesTerminal: true);
        IPEndPoint listening = ProxyBinding.Bind(proxy, engine.Listen!);
        Warn(settings, options, engine, logger);
        Exposure.Warn(engine, options.Host, addsField, logger);
        companion?.Warn(engine, addsCredential, logger);
        Standard.Output.Write($"mcpproxyfast: {options.ServerName} on port {listening.Port} -> {engine.Target.GetLeftPart(UriPartial.Path)}");
        await using (companion?.Start(proxy, engine.Target, listening, logger, signals.Stopping))
        {
            await ServeAsync(proxy, engine.Limits.DrainTimeout, signals.Stopping);
        }

        Standard.Output.Write($"mcpproxyfast: {options.ServerName} stopped");
        return ExitCode.Stopped;
    }

    private static async Task ServeAsync(McpProxy proxy, TimeSpan drainTimeout, CancellationToken stopping)
    {
        try
        {
            await Running.RunAsync(proxy, drainTimeout, stopping);
        }
        catch (InvalidOperationException e)
        {
            // The sign-in at the start failed. The engine's message says what to do.
            throw new FailedException(e.Message);
        }
    }

    private static void Warn(Settings settings, ProxyOptions options, McpProxyOptions engine, StderrLogger logger)
    {
        Secrets.Warn(settings, logger);
        IEnumerable<string> idle = settings.Given.Where(given => given.Value.Source is SettingSource.CommandLine).Select(given => given.Key);
        if (engine.Outgoing is null && idle.FirstOrDefault(name => name.StartsWith("remote-auth-", StringComparison.Ordinal)) is { } flag)
        {
            logger.FlagWithoutEffect(flag);
        }

        if (OutgoingFlags.IsOn(options) && ExchangeFlags.LeavesLoginIdle(options))
        {
            logger.LoginWithoutEffect();
        }
    }
}
