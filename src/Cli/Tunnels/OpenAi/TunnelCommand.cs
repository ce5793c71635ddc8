using System.Buffers;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A command of the control plane, usually a request for the MCP server whose answer is posted back.</summary>
/// <param name="RequestId">The command's id, repeated in the body of each answer.</param>
/// <param name="ShardToken">A token that is repeated in a header of each answer, and nowhere else.</param>
/// <param name="Type">The command's type. It may be one that this version does not know.</param>
/// <param name="Channel">The channel that the command came on, repeated in the body of each answer.</param>
/// <param name="Timeout">How long the command and its answer may take, from the head of the poll's response on; null for no limit.</param>
/// <param name="Headers">The headers for the request to the MCP server, one entry for each value; null if they are too large for a request.</param>
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
