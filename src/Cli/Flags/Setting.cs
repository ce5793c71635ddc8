namespace McpProxyFast.Cli.Flags;

/// <summary>The values that one flag ended up with, and the source they came from.</summary>
internal sealed record Setting(SettingSource Source, IReadOnlyList<string> Values);
