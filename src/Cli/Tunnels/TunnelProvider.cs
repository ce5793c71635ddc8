using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tunnels.OpenAi;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>A tunnel provider with its arguments.</summary>
internal abstract class TunnelProvider
{
    /// <summary>The names of all providers.</summary>
    public static IReadOnlyList<string> Names { get; } = [NgrokProvider.Name, CloudflaredProvider.Name, SshProvider.Name, OpenAiProvider.Name];

    /// <summary>Whether the arguments are only checked, and no agent is started.</summary>
    public virtual bool IsDryRun => false;

    /// <summary>Checks the provider's name.</summary>
    /// <exception cref="UsageException">There is no such provider.</exception>
    public static void Require(string name)
    {
        if (!Names.Contains(name))
        {
            string meant = Nearest.Of(name, Names) is { } nearest ? $"did you mean {nearest}? " : "";
            throw new UsageException($"--tunnel-provider: there is no provider '{name}'; {meant}The providers are: {string.Join(", ", Names)}");
        }
    }

    /// <summary>Creates a provider from its arguments.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="arguments">The arguments, as <see cref="ProviderArguments.Parse"/> returned them.</param>
    /// <param name="port">The value of <c>--port</c>; 0 means any free port.</param>
    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static TunnelProvider Read(string name, IReadOnlyList<(string Name, JsonElement Value)> arguments, int port) => name switch
    {
        NgrokProvider.Name => NgrokProvider.Read(arguments),
        CloudflaredProvider.Name => CloudflaredProvider.Read(arguments, port),
        SshProvider.Name => SshProvider.Read(arguments),
        OpenAiProvider.Name => OpenAiProvider.Read(arguments),
        _ => throw new UnreachableException(),
    };

    /// <summary>Creates what runs beside the proxy to make the tunnel.</summary>
    /// <param name="options">The options of the command.</param>
    public abstract IProxyCompanion Beside(TunnelOptions options);
}
