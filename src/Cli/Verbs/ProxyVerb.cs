using System.Net;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast proxy</c>: the HTTP proxy.</summary>
internal static class ProxyVerb
{
    public static async Task<int> RunAsync(ProxyOptions options, Settings settings)
    {
        var logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Information);
        McpProxyOptions engine = ProxyFlags.ToEngine(options, settings, logger);
        await using McpProxy proxy = FlagValue.Accepted(ProxyFlags.FlagOf, () => new McpProxy(engine));
        if (options.Check)
        {
            Console.WriteLine(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        using var signals = new StopSignals();
        IPEndPoint listening = Listening.Bind(proxy, engine.Listen!);
        Warn(options, settings, engine, logger);
        Console.WriteLine($"mcpproxyfast: {options.ServerName} on port {listening.Port} -> {engine.Target.GetLeftPart(UriPartial.Path)}");
        await ServeAsync(proxy, signals.Stopping);
        Console.WriteLine($"mcpproxyfast: {options.ServerName} stopped");
        return ExitCode.Stopped;
    }

    private static async Task ServeAsync(McpProxy proxy, CancellationToken stopping)
    {
        try
        {
            await proxy.RunAsync(stopping);
        }
        catch (InvalidOperationException e)
        {
            // The sign-in at the start failed; the engine's sentence says what to do.
            throw new FailedException(e.Message);
        }
    }

    private static void Warn(ProxyOptions options, Settings settings, McpProxyOptions engine, StderrLogger logger)
    {
        Secrets.WarnOfArguments(settings, logger);
        IEnumerable<string> idle = settings.Given.Where(given => given.Value.Source is SettingSource.CommandLine).Select(given => given.Key);
        if (engine.Outgoing is null && idle.FirstOrDefault(name => name.StartsWith("remote-auth-", StringComparison.Ordinal)) is { } flag)
        {
            logger.LogWarning("--{Flag} has no effect: add --remote-auth to sign in at the target", flag);
        }

        if (IPAddress.IsLoopback(engine.Listen!.Address))
        {
            return;
        }

        if (engine.AllowedOrigins.Count == 0)
        {
            logger.LogWarning("--host {Host} is reachable from outside and --allowed-origins is not given: web pages of any origin may call", options.Host);
        }

        if (engine.AllowedHosts.Count == 0)
        {
            logger.LogWarning("--host {Host} is reachable from outside and --allowed-hosts is not given: requests may name any host", options.Host);
        }
    }
}
