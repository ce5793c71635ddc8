namespace McpProxyFast.Cli.Flags;

/// <summary>Where a value may come from. If several sources set a flag, the first of this list wins.</summary>
internal enum SettingSource
{
    CommandLine,
    Environment,
    ConfigFile,

    /// <summary>One of the environment variables that <c>thv proxy</c> reads its secrets from.</summary>
    ToolHiveEnvironment,
}
