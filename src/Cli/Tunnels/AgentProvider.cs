using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>A provider whose own program makes the tunnel.</summary>
internal abstract class AgentProvider : TunnelProvider
{
    /// <summary>The program, as it is looked for on the PATH.</summary>
    public abstract string Program { get; }

    /// <summary>Where the program is to be had, for whoever lacks it.</summary>
    public abstract string Source { get; }

    /// <summary>The public address, where it is known before the agent runs.</summary>
    public virtual Uri? KnownUrl => null;

    /// <summary>What the agent is started with.</summary>
    /// <param name="proxy">The address at which it finds the proxy, without a scheme.</param>
    /// <param name="serverName">The name that the user gave the server.</param>
    /// <exception cref="FailedException">A secret can no longer be read.</exception>
    public abstract AgentCommand CommandFor(string proxy, string serverName);

    /// <summary>The public address, where a line of the agent's says it.</summary>
    /// <returns>Null where it says something else.</returns>
    public abstract Uri? UrlIn(string line);

    public sealed override IProxyCompanion Beside(TunnelOptions options) =>
        new Tunnel(this, options.ServerName, options.AllowUnprotected, options.ResourceUrl);

    /// <summary>What clients that come through the tunnel may ask for besides the host of its address.</summary>
    /// <param name="url">The address.</param>
    public virtual IReadOnlyList<string> OtherHosts(Uri url) => [];
}
