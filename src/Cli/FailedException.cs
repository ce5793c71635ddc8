namespace McpProxyFast.Cli;

/// <summary>The use was right, yet it failed: one line that says why.</summary>
internal sealed class FailedException(string message) : Exception(message);
