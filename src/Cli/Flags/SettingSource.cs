namespace McpProxyFast.Cli.Flags;

/// <summary>Where a value may come from; the earlier source wins.</summary>
internal enum SettingSource
{
    CommandLine,
    Environment,
    ConfigFile,

    /// <summary>One of the four names that <c>thv proxy</c> reads its secrets from.</summary>
    ToolHiveEnvironment,
}
