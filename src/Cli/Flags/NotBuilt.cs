namespace McpProxyFast.Cli.Flags;

/// <summary>The flags and verbs of the contract that this version refuses: to ignore one would be worse than to stop. No page of help shows them.</summary>
internal static class NotBuilt
{
    private static readonly string[] Prefixes = ["tls-", "admin-port", "access-log"];

    /// <summary>The verbs to come, as they will be written.</summary>
    private static readonly (string Name, string Usage)[] Verbs =
    [
        ("completion", "mcpproxyfast completion bash|zsh|fish"),
    ];

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

    /// <exception cref="UsageException">The verb is not built yet.</exception>
    public static void RefuseVerb(string verb)
    {
        if (Array.Find(Verbs, known => known.Name == verb) is { Usage: { } usage })
        {
            throw new UsageException($"`{usage}` is not built into this version yet");
        }
    }

    /// <summary>
    /// Refuses <c>proxy stdio</c> and <c>proxy tunnel</c> with flags between: <c>thv</c> has both, and they would make a proxy for a server of that name.
    /// </summary>
    /// <param name="verb">The verb that was given.</param>
    /// <param name="first">Its first argument that belongs to no flag.</param>
    /// <exception cref="UsageException">The argument is a verb of its own.</exception>
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
