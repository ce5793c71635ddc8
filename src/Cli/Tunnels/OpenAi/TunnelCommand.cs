using System.Buffers;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A command of the control plane.</summary>
/// <param name="RequestId">Repeated in the body of each answer.</param>
/// <param name="ShardToken">Repeated in a header of each answer, and nowhere else.</param>
/// <param name="Type">The type; it may be unknown.</param>
/// <param name="Channel">Repeated in the body of each answer.</param>
/// <param name="Timeout">Time for the command and its answer, counted from the head of the poll's response. Null for no limit.</param>
/// <param name="Headers">Headers for the request to the MCP server, one entry for each value. Null if they are more than a request can carry.</param>
/// <param name="Message">The raw JSON-RPC message, a slice of the poll's response; empty if the type has none.</param>
internal sealed record TunnelCommand(
    string RequestId,
    string ShardToken,
    string Type,
    string Channel,
    TimeSpan? Timeout,
    IReadOnlyList<(string Name, string Value)>? Headers,
    ReadOnlySequence<byte> Message)
{
    /// <summary>The type of a command that sends a message to the MCP server.</summary>
    public const string JsonRpc = "jsonrpc";

    /// <summary>The type of a command that ends a session.</summary>
    public const string SessionTermination = "session_termination";
}
