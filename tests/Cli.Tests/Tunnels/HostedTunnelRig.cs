using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using McpProxyFast.Cli.Tunnels;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Microsoft.Extensions.Logging;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>A hosted tunnel between a control plane and a server that a test scripts, for the classes of its tests.</summary>
public abstract class HostedTunnelRig : IAsyncLifetime, IDisposable
{
    protected const string List = """{"jsonrpc":"2.0","id":"rpc_1","method":"tools/list"}""";
    protected const string Result = """{"jsonrpc":"2.0","id":"rpc_1","result":{ "tools": [] }}""";
    protected const string Progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}""";

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stopping = new();
    private StandInMcpServer? _server;
    private McpProxy? _proxy;
    private PollLoop? _loop;

    private protected StandInControlPlane Plane { get; private set; } = null!;

    private protected StandInMcpServer Server => _server!;

    private protected LineLogger Log { get; } = new();

    public async Task InitializeAsync() => Plane = await StandInControlPlane.StartAsync();

    public async Task DisposeAsync()
    {
        await _stopping.CancelAsync();
        await (_loop?.DisposeAsync() ?? default);
        await (_proxy?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
        await Plane.DisposeAsync();
    }

    public void Dispose()
    {
        _folder.Dispose();
        _stopping.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static string BatchOf(params string[] ids) =>
        $"[{string.Join(',', ids.Select(id => List.Replace("rpc_1", id, StringComparison.Ordinal)))}]";

    private protected static string CommandOf(string message, string more = "", string id = "req_1") =>
        $$"""{"request_id":"{{id}}","shard_token":"shard_1","command_type":"jsonrpc","created_at":"2026-01-01T00:00:00Z","jsonrpc":{{message}}{{more}}}""";

    /// <summary>Waits until every command has been done.</summary>
    private protected async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _loop!.DisposeAsync();
        _loop = null;
    }

    private protected void Start(
        StandInMcpServer server, string more = "", MemoryBudget? budget = null, ProxyLimits? limits = null, ILogger? logger = null)
    {
        _server = server;
        Start(server.Address, more, budget, limits, logger);
    }

    private protected void Start(Uri target, string more = "", MemoryBudget? budget = null, ProxyLimits? limits = null, ILogger? logger = null)
    {
        string given = $$"""{"tunnel-id":"tunnel_1","api-key-file":"{{_folder.Write("key", "sk-hunter2\n")}}","base-url":"{{Plane.Address}}"{{more}}}""";
        _proxy = new McpProxy(new McpProxyOptions { Target = target, Limits = limits ?? new ProxyLimits() });
        _loop = new PollLoop(OpenAiProvider.Read(ProviderArguments.Parse(given)), _proxy, target, logger ?? Log, _stopping.Token, budget);
    }
}
