using System.IO.Pipelines;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>The official SDK's client behind a bridge in process, as a desktop host runs it over stdio.</summary>
internal sealed class BridgedClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly McpBridge _bridge;
    private readonly Task _running;

    private BridgedClient(McpBridge bridge, IDuplexPipe near)
    {
        _bridge = bridge;
        _running = bridge.RunAsync(near, _stopping.Token);
    }

    public McpClient Client { get; private set; } = null!;

    public static async Task<BridgedClient> ConnectAsync(
        Uri server, string revision, McpClientHandlers? handlers = null, McpBridgeProtocol protocol = McpBridgeProtocol.Auto)
    {
        var toBridge = new Pipe();
        var fromBridge = new Pipe();
        var bridge = new McpBridge(new McpBridgeOptions { Upstream = new McpProxyOptions { Target = server }, Protocol = protocol });
        var connected = new BridgedClient(bridge, new Ends(toBridge.Reader, fromBridge.Writer));
        try
        {
            var transport = new StreamClientTransport(toBridge.Writer.AsStream(), fromBridge.Reader.AsStream());
            connected.Client = await McpClient.CreateAsync(
                transport, new McpClientOptions { ProtocolVersion = revision, Handlers = handlers ?? new McpClientHandlers() });
            return connected;
        }
        catch
        {
            await connected.DisposeAsync();
            throw;
        }
    }

    /// <summary>The text of a tool's answer.</summary>
    public async Task<string> CallAsync(string tool, Dictionary<string, object?>? arguments = null, CancellationToken cancellation = default)
    {
        CallToolResult result = await Client.CallToolAsync(tool, arguments, cancellationToken: cancellation);
        string text = result.Content.OfType<TextContentBlock>().Single().Text;
        return result.IsError is true ? throw new InvalidOperationException(text) : text;
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is not null)
        {
            await Client.DisposeAsync();
        }

        await _stopping.CancelAsync();
        await _running;
        await _bridge.DisposeAsync();
        _stopping.Dispose();
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
