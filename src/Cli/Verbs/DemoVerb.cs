using System.Net;
using McpProxyFast.Cli.Demo;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast demo</c>: runs a small MCP server with the proxy in front of it.</summary>
internal static class DemoVerb
{
    public static async Task<int> RunAsync(DemoOptions options, Settings settings)
    {
        IPEndPoint wanted = ProxyFlags.Endpoint("127.0.0.1", options.Port);
        if (options.Check)
        {
            Standard.Print(EffectiveConfiguration.Describe(settings));
            return ExitCode.Stopped;
        }

        var signals = new StopSignals();
        using DemoServer server = DemoServer.Start();
        await using var proxy = new McpProxy(new McpProxyOptions
        {
            Listen = wanted,
            Target = server.Address,
            Logger = new StderrLogger(options.Debug ? LogLevel.Debug : LogLevel.Warning),
        });
        IPEndPoint listening = ProxyBinding.Bind(proxy, wanted);
        Introduce(listening, server.Address);

        // The proxy stops first, so that running requests can still end at the server.
        using var stopServer = new CancellationTokenSource();
        Task serving = server.RunAsync(stopServer.Token);
        await Running.RunAsync(proxy, new ProxyLimits().DrainTimeout, signals.Stopping);
        await stopServer.CancelAsync();
        await serving;
        Standard.Output.Write("mcpproxyfast: demo stopped");
        return ExitCode.Stopped;
    }

    private static void Introduce(IPEndPoint listening, Uri server)
    {
        string url = $"http://{listening}/mcp";
        Standard.Output.Write($"""
            mcpproxyfast: demo on port {listening.Port} -> {server}

            The MCP endpoint: {url}
            One answer:
              {Curl(url, "echo", """{"text":"hello"}""")}
            A stream of progress:
              {Curl(url, "count", """{"steps":5}""")}

            Ctrl-C stops it.
            """);
    }

    private static string Curl(string url, string tool, string arguments) =>
        $"curl -sN {url} -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' " +
        $$$"""-d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{{{arguments}}}}}'""";
}
