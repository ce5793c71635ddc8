namespace McpProxyFast.Cli.Tunnels;

/// <summary>How an agent is started.</summary>
/// <param name="Arguments">Visible to every user of the machine, so they contain no secret.</param>
/// <param name="Variables">Added to the environment of the agent. Secrets are passed here.</param>
internal sealed record AgentCommand(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>With arguments only.</summary>
    public AgentCommand(params string[] arguments)
        : this(arguments, new Dictionary<string, string>())
    {
    }
}
