namespace McpProxyFast.Cli.Flags;

/// <summary>
/// The planned flags and verbs that this version does not support yet. They are refused, since ignoring one could do harm. The help does not show them.
/// </summary>
internal static class NotBuilt
{
    private static readonly string[] Prefixes = ["tls-", "admin-port", "access-log"];

    /// <summary>The planned verbs, and how they will be used.</summary>
    private static readonly (string Name, string Usage)[] Verbs =
    [
        ("completion", "mcpproxyfast completion bash|zsh|fish"),
    ];

    /// <summary>Whether a flag is planned but not supported yet.</summary>
    public static bool Contains(string name) => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <exception cref="UsageException">One of the given flags is not supported yet.</exception>
    public static void Refuse(Settings settings)
    {
        if (settings.Given.Keys.FirstOrDefault(Contains) is { } refused)
        {
            throw new UsageException($"--{refused} is not built into this version yet");
        }
    }

    /// <exception cref="UsageException">The verb is not supported yet.</exception>
    public static void RefuseVerb(string verb)
    {
        if (Array.Find(Verbs, known => known.Name == verb) is { Usage: { } usage })
        {
            throw new UsageException($"`{usage}` is not built into this version yet");
        }
    }

    /// <summary>
    /// Refuses <c>proxy stdio</c> and <c>proxy tunnel</c> with flags between the two words. Users of <c>thv</c> may write that, and without this check it would
    /// start a proxy for a server named "stdio" or "tunnel".
    /// </summary>
    /// <param name="verb">The verb that was given.</param>
    /// <param name="first">The first argument that belongs to no flag; null if there is none.</param>
    /// <exception cref="UsageException">The argument is the name of another verb.</exception>
    public static void RefuseVerbBehind(string verb, string? first)
    {
        if (verb == "proxy" && first is ("stdio" or "tunnel"))
        {
            string positionals = first == "tunnel" ? "TARGET SERVER_NAME" : "SERVER_NAME";
            throw new UsageException(
                $"`proxy {first}` is written `mcpproxyfast {first} [flags] {positionals}`, the verb before its flags; "
                + $"a server named '{first}' needs another name");
        }
    }
}
