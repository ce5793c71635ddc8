namespace McpProxyFast.Bridge.Eras;

/// <summary>A tool whose <c>x-mcp-header</c> annotations break a rule of the specification.</summary>
/// <param name="Tool">The tool's name, as the server sent it.</param>
/// <param name="Reason">Says what is wrong. It contains no text from the server.</param>
internal sealed record RejectedTool(string Tool, string Reason);
