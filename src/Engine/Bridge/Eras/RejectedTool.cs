namespace McpProxyFast.Bridge.Eras;

/// <summary>A tool whose <c>x-mcp-header</c> annotations break a rule of the specification.</summary>
/// <param name="Tool">Its name, as the server sent it.</param>
/// <param name="Reason">What is wrong; has no text of the server's.</param>
internal sealed record RejectedTool(string Tool, string Reason);
