namespace McpProxyFast.Cli;

/// <summary>The use was right, yet the start failed: one line that says why.</summary>
internal sealed class StartException(string message) : Exception(message);
