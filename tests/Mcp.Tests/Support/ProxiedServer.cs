using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>A server with the proxy in front; each test gets its own pair.</summary>
public abstract class ProxiedServer(HttpServerSessionMode mode) : IAsyncLifetime
{
    private McpServerHost _server = null!;
    private ProxyHost _proxy = null!;

    protected Journal Journal => _server.Journal;

    /// <summary>What clients connect to: the proxy. Put the server's address here to see a test without it.</summary>
    protected Uri Address => _proxy.Address;

    public async Task InitializeAsync()
    {
        _server = await McpServerHost.StartAsync(mode);
        _proxy = new ProxyHost(_server.Address);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>Connects the official client to the proxy.</summary>
    protected Task<McpClient> ConnectAsync(string revision, McpClientHandlers? handlers = null, string path = "/mcp", HttpTransportMode transport = HttpTransportMode.StreamableHttp) =>
        McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions
            {
                Endpoint = new Uri(Address, path),
                TransportMode = transport,
                DefaultReconnectionInterval = TimeSpan.FromMilliseconds(10),
            }),
            new McpClientOptions { ProtocolVersion = revision, Handlers = handlers ?? new() });

    /// <summary>The text of a tool's answer.</summary>
    protected static async Task<string> CallAsync(McpClient client, string tool, Dictionary<string, object?>? arguments = null, CancellationToken cancellation = default)
    {
        CallToolResult result = await client.CallToolAsync(tool, arguments, cancellationToken: cancellation);
        string text = result.Content.OfType<TextContentBlock>().Single().Text;
        return result.IsError is true ? throw new InvalidOperationException(text) : text;
    }
}
