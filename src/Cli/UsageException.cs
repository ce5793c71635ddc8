namespace McpProxyFast.Cli;

/// <summary>The command line is wrong. The message is one line that names the flag and says what would be right.</summary>
internal sealed class UsageException(string message) : Exception(message);
