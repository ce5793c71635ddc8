namespace McpProxyFast.Cli.Flags;

/// <summary>The flags of the contract that this version refuses: to ignore one would be worse than to stop.</summary>
internal static class NotBuilt
{
    private static readonly string[] Prefixes = ["remote-forward-headers", "token-exchange-", "tls-", "admin-port", "access-log"];

    /// <summary>Whether the flag is one of them.</summary>
    public static bool Contains(string name) => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <exception cref="UsageException">One of the flags given is not built yet.</exception>
    public static void Refuse(Settings settings)
    {
        if (settings.Given.Keys.FirstOrDefault(Contains) is { } refused)
        {
            throw new UsageException($"--{refused} is not built into this version yet");
        }
    }
}
