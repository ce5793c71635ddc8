using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>A provider whose tunnel is made by a separate program, the agent.</summary>
internal abstract class AgentProvider : TunnelProvider
{
    /// <summary>The name of the program on the PATH.</summary>
    public abstract string Program { get; }

    /// <summary>Where to get the program, for the error message.</summary>
    public abstract string Source { get; }

    /// <summary>The public address if it is known before the agent runs; otherwise null.</summary>
    public virtual Uri? KnownUrl => null;

    /// <summary>Creates the command line and environment of the agent.</summary>
    /// <param name="proxy">Address and port of the proxy, without a scheme.</param>
    /// <param name="serverName">The name that the user gave the server.</param>
    /// <exception cref="FailedException">A secret can no longer be read.</exception>
    public abstract AgentCommand CommandFor(string proxy, string serverName);

    /// <summary>Finds the tunnel's public address in a line of the agent's output.</summary>
    /// <returns>The address; null if the line has none.</returns>
    public abstract Uri? UrlIn(string line);

    public sealed override IProxyCompanion Beside(TunnelOptions options) =>
        new Tunnel(this, options.ServerName, options.AllowUnprotected, options.ResourceUrl);

    /// <summary>Returns the <c>Host</c> values that clients of the tunnel may send besides the host of the tunnel's address.</summary>
    /// <param name="url">The tunnel's public address.</param>
    public virtual IReadOnlyList<string> OtherHosts(Uri url) => [];
}
