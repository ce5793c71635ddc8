using System.Text.Json;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tunnels;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast tunnel</c>: the proxy, made reachable from outside.</summary>
internal static class TunnelVerb
{
    private const string TargetFlag = "target-uri";

    /// <remarks>The order of the checks is that of <c>thv</c>: provider, JSON, target, the provider's arguments; then all flags of the proxy.</remarks>
    public static Task<int> RunAsync(TunnelOptions options, Settings settings)
    {
        TunnelProvider.Require(options.TunnelProvider);
        IReadOnlyList<(string Name, JsonElement Value)> arguments = ProviderArguments.Parse(options.ProviderArgs);
        TakeTarget(options, settings);
        TunnelProvider provider = TunnelProvider.Read(options.TunnelProvider, arguments, options.Port);
        return RunAsync(options, settings, provider);
    }

    private static async Task<int> RunAsync(TunnelOptions options, Settings settings, TunnelProvider provider)
    {
        try
        {
            return await ProxyVerb.RunAsync(options, settings, provider.Beside(options));
        }
        catch (UsageException e)
        {
            throw InItsWords(e);
        }
    }

    private static void TakeTarget(TunnelOptions options, Settings settings)
    {
        if (settings.Given.TryGetValue(TargetFlag, out Setting? beside))
        {
            throw new UsageException($"{beside.Origin}: a tunnel's target is its first argument, TARGET; leave --{TargetFlag} out");
        }

        try
        {
            _ = ProxyFlags.Target(options.Target);
        }
        catch (UsageException e)
        {
            throw InItsWords(e);
        }

        options.TargetUri = options.Target;
    }

    /// <summary>Returns the exception with <c>TARGET</c> in place of <c>--target-uri</c>: the target is an argument of this verb, not a flag.</summary>
    private static UsageException InItsWords(UsageException mistake) => new(mistake.Message.Replace($"--{TargetFlag}", "TARGET", StringComparison.Ordinal));
}
