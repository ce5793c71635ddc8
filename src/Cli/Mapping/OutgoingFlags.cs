using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say how to sign in at the target to the engine's outgoing policy.</summary>
internal static class OutgoingFlags
{
    /// <returns>Null where none of the flags that turn signing in on is given.</returns>
    public static OutgoingPolicy? ToPolicy(OutgoingOptions options) => null;
}
