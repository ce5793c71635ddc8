using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tunnels.OpenAi;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Who makes the tunnel, with all that it was given.</summary>
internal abstract class TunnelProvider
{
    /// <summary>The providers by their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [NgrokProvider.Name, CloudflaredProvider.Name, SshProvider.Name, OpenAiProvider.Name];

    /// <summary>Whether everything is to be checked, and nothing to be started.</summary>
    public virtual bool IsDryRun => false;

    /// <summary>Checks the provider's name.</summary>
    /// <exception cref="UsageException">There is no such provider.</exception>
    public static void Require(string name)
    {
        if (!Names.Contains(name))
        {
            string meant = Nearest.Of(name, Names) is { } nearest ? $"did you mean {nearest}? " : "";
            throw new UsageException($"--tunnel-provider: there is no '{name}'; {meant}There are: {string.Join(", ", Names)}");
        }
    }

    /// <summary>Reads what a provider was given.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="arguments">As <see cref="ProviderArguments.Parse"/> gave them.</param>
    /// <param name="port">The port that was asked for; 0 for any.</param>
    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static TunnelProvider Read(string name, IReadOnlyList<(string Name, JsonElement Value)> arguments, int port) => name switch
    {
        NgrokProvider.Name => NgrokProvider.Read(arguments),
        CloudflaredProvider.Name => CloudflaredProvider.Read(arguments, port),
        SshProvider.Name => SshProvider.Read(arguments),
        OpenAiProvider.Name => OpenAiProvider.Read(arguments),
        _ => throw new UnreachableException(),
    };

    /// <summary>What runs beside the proxy.</summary>
    /// <param name="options">What else the user has said.</param>
    public abstract IProxyCompanion Beside(TunnelOptions options);
}
