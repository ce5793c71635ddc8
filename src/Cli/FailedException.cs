namespace McpProxyFast.Cli;

/// <summary>The command was used correctly but failed. The message is one line that says why.</summary>
internal sealed class FailedException(string message) : Exception(message);
