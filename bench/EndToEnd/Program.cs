using McpProxyFast.EndToEnd.Roles;
using McpProxyFast.EndToEnd.Roles.BridgeLoad;
using McpProxyFast.EndToEnd.Roles.BridgeOrigin;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Roles.Origin;
using McpProxyFast.EndToEnd.Roles.Unofficial;
using McpProxyFast.EndToEnd.Roles.Yarp;
using McpProxyFast.EndToEnd.Running;

// One executable, several processes: without a role it is the one that starts the others.
return args switch
{
    ["origin"] => OriginRole.Run(),
    ["load"] => LoadRole.Run(),
    ["bridge-origin", var port] => BridgeOriginRole.Run(port),
    ["bridge-load"] => BridgeLoadRole.Run(),
    ["yarp", .. var rest] => await YarpRole.RunAsync(RoleArguments.Read(rest)),
    ["mcpproxyfast-unofficial", .. var rest] => await UnofficialRole.RunAsync(RoleArguments.Read(rest)),
    ["--help"] => Explain(string.Empty),
    _ => await RunAsync(),
};

async Task<int> RunAsync()
{
    if (!OperatingSystem.IsLinux())
    {
        return Explain("The benchmark reads /proc and waits with epoll: it runs on Linux only.");
    }

    try
    {
        return args is ["bridge", .. var rest]
            ? await new BridgeRun(RunOptions.Parse(rest, BridgeRun.Defaults)).RunAsync()
            : await new BenchmarkRun(RunOptions.Parse(args)).RunAsync();
    }
    catch (FormatException e)
    {
        return Explain(e.Message);
    }
}

static int Explain(string problem)
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(RunOptions.Usage);
    return problem.Length == 0 ? 0 : 2;
}
