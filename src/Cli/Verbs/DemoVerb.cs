using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
namespace McpProxyFast.Cli.Verbs;
internal static class DemoVerb
{
    public static Task<int> RunAsync(DemoOptions options, Settings settings) => Task.FromResult(0);
}
