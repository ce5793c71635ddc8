using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags of the verb <c>stdio</c> to the engine's options.</summary>
internal static class StdioFlags
{
    /// <exception cref="UsageException">A flag has a value that the engine cannot use.</exception>
    public static McpBridgeOptions ToEngine(StdioOptions options, IReadOnlyList<AddedField> fields, ILogger logger) => new()
    {
        Upstream = new McpProxyOptions
        {
            Target = ProxyFlags.Target(options.TargetUri),
            Limits = LimitFlags.Read(options),
            Outgoing = OutgoingFlags.ToPolicy(options),
            AddedFields = fields,
            TrustedCertificates = ProxyFlags.Certificates(options.CaFile),
            Wording = OptionNames.ToFlags,
            Logger = logger,
        },
        Transport = options.Transport switch
        {
            "auto" => McpBridgeTransport.Auto,
            "http" => McpBridgeTransport.StreamableHttp,
            "sse" => McpBridgeTransport.Sse,
            _ => throw new UsageException(
                $"--transport must be auto, http or sse, not '{options.Transport}'{ForeignFlags.HintFor("--transport", options.Transport)}"),
        },
        Protocol = options.Protocol switch
        {
            "auto" => McpBridgeProtocol.Auto,
            "pass" => McpBridgeProtocol.PassThrough,
            _ => throw new UsageException(
                $"--protocol must be auto or pass, not '{options.Protocol}'{ForeignFlags.HintFor("--protocol", options.Protocol)}"),
        },
        ReconnectTimeout = Wait(options),
        IgnoredTools = [.. options.IgnoreTool],
    };

    private static TimeSpan Wait(StdioOptions options)
    {
        const string flag = "reconnect-timeout";
        TimeSpan wait = FlagValue.Wait(flag, options.ReconnectTimeout);
        return wait <= TimeSpan.FromDays(1) ? wait : throw new UsageException($"--{flag} must be a DURATION from 0s to 24h, not '{options.ReconnectTimeout}'");
    }
}
