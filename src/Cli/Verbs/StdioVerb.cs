using System.IO.Pipelines;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast stdio</c>: connects a client that speaks MCP over stdin and stdout with a remote MCP server.</summary>
internal static class StdioVerb
{
    /// <summary>How long the process waits at most, when it ends, for lines that have not been written to the log file.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(StdioOptions options, Settings settings)
    {
        LineWriter log = options.LogFile is null ? Standard.Errors : new LineWriter(FileDestination.Open("log-file", options.LogFile), "log file");
        var logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Information, log);
        Prerequisites.Check(options.TargetUri, options);
        McpBridgeOptions engine = StdioFlags.ToEngine(options, await ForwardFlags.ReadAsync(options, logger), logger);
        await using McpBridge bridge = FlagValue.Accepted(FlagNames.Proxy, () => new McpBridge(engine));
        if (options.Check)
        {
            Standard.Print(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        var signals = new StopSignals();
        Secrets.Warn(settings, logger);
        Exposure.WarnOfPlainHttp(engine.Upstream, engine.Upstream.Outgoing is not null || ForwardFlags.AddCredential(options), logger);
        IDuplexPipe client = StandardPipe.Open();
        await bridge.RunAsync(client, signals.Stopping);
        log.Flush(FlushLimit);
        return ExitCode.Stopped;
    }
}
