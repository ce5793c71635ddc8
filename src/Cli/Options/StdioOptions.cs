using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>stdio</c>.</summary>
[Verb("stdio", HelpText = "Connects a client that speaks MCP over stdin and stdout to a remote MCP server.")]
internal sealed class StdioOptions : TargetOptions
{
    [Value(0, MetaName = "SERVER_NAME", Required = true, HelpText = "Name of the MCP server, for people who read the client's settings.")]
    public string ServerName { get; set; } = "";

    [Option("transport", MetaValue = "TRANSPORT", Default = "auto",
        HelpText = "What the server speaks: http (Streamable HTTP), sse (HTTP+SSE of 2024-11-05), or auto: "
            + "http, or sse if the server takes no POST.")]
    public string Transport { get; set; } = "";

    [Option("protocol", MetaValue = "PROTOCOL", Default = "auto",
        HelpText = "auto: a client of an older revision is translated for a server that speaks only 2026-07-28; pass: nothing is translated.")]
    public string Protocol { get; set; } = "";

    [Option("reconnect-timeout", MetaValue = "DURATION", Default = "60s",
        HelpText = "Time that requests wait while the server is gone, 0s to 24h; then each gets an error.")]
    public string ReconnectTimeout { get; set; } = "";

    [Option("ignore-tool", MetaValue = "PATTERN", HelpText = "Name of a tool to hide from the client; * stands for any characters, ? for one.")]
    public IEnumerable<string> IgnoreTool { get; set; } = [];

    [Option("log-file", MetaValue = "FILE", HelpText = "File to append logs to, instead of stderr, for clients that show stderr as errors.")]
    public string? LogFile { get; set; }

    [Option("drain-timeout", MetaValue = "DURATION", Default = "5s", HelpText = "Time that answers under way get when stdin has ended, 0s to 1h.")]
    public override string DrainTimeout { get; set; } = "";
}
