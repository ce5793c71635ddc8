namespace McpProxyFast.Cli.Tunnels;

/// <summary>The arguments and environment variables that an agent is started with.</summary>
/// <param name="Arguments">The arguments. Every user of the machine can see them, so they must not contain secrets.</param>
/// <param name="Variables">Variables that are added to the environment of the agent. Secrets are passed here.</param>
internal sealed record AgentCommand(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>Makes a command with arguments only.</summary>
    public AgentCommand(params string[] arguments)
        : this(arguments, new Dictionary<string, string>())
    {
    }
}
