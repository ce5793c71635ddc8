namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>One thing that the control plane wants done.</summary>
/// <param name="RequestId">Echoed in the body of each answer.</param>
/// <param name="ShardToken">Echoed in a header of each answer, and nowhere else.</param>
/// <param name="Type">What kind of thing; there may be kinds that are not known here.</param>
/// <param name="Channel">Echoed in the body of each answer.</param>
/// <param name="Timeout">How long it may take, its answer included, from when the poll's response began; null for as long as it takes.</param>
/// <param name="Headers">Names and values, one by one, for the request to the MCP server.</param>
/// <param name="Message">The raw JSON-RPC message; empty where the kind has none.</param>
internal sealed record TunnelCommand(
    string RequestId,
    string ShardToken,
    string Type,
    string Channel,
    TimeSpan? Timeout,
    IReadOnlyList<(string Name, string Value)> Headers,
    ReadOnlyMemory<byte> Message)
{
    /// <summary>A message for the MCP server.</summary>
    public const string JsonRpc = "jsonrpc";

    /// <summary>The end of a session.</summary>
    public const string SessionTermination = "session_termination";
}
