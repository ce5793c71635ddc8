namespace McpProxyFast.Cli.Flags;

/// <summary>The flags of the contract that this version refuses: to ignore one would be worse than to stop.</summary>
internal static class NotBuilt
{
    private static readonly string[] Prefixes = ["remote-forward-headers", "token-exchange-", "tls-", "admin-port", "access-log"];

    /// <exception cref="UsageException">One of the flags given is not built yet.</exception>
    public static void Refuse(Settings settings)
    {
        string? refused = settings.Given.Keys.FirstOrDefault(name => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
        if (refused is not null)
        {
            throw new UsageException($"--{refused} is not built into this version yet");
        }
    }
}
