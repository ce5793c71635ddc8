namespace McpProxyFast.Cli.Tests.Support;

/// <summary>How a run of the command ended.</summary>
public sealed record Outcome(int ExitCode, string Output, string Errors);
