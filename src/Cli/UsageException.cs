namespace McpProxyFast.Cli;

/// <summary>Wrong use of the command line: one line that names the flag and says what would be right.</summary>
internal sealed class UsageException(string message) : Exception(message);
