using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say who may come in to the engine's token policy.</summary>
internal static class IncomingFlags
{
    /// <returns>Null where none of the flags that turn protection on is given.</returns>
    public static TokenPolicy? ToPolicy(IncomingOptions options) => null;
}
