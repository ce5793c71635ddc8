using System.Reflection;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>A server that clients reach over stdio, through the built command; each test gets its own server, each client its own bridge.</summary>
/// <remarks>It stands in the place of the class of this name with which the same tests run through the proxy.</remarks>
public abstract class ProxiedServer(HttpServerSessionMode mode) : IAsyncLifetime
{
    private static readonly string Built =
        typeof(ProxiedServer).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Command").Value!;

    private McpServerHost _server = null!;

    protected Journal Journal => _server.Journal;

    public async Task InitializeAsync() => _server = await McpServerHost.StartAsync(mode);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    /// <summary>Connects the official client over stdio.</summary>
    protected Task<McpClient> ConnectAsync(
        string revision, McpClientHandlers? handlers = null, string path = "/mcp", HttpTransportMode transport = HttpTransportMode.StreamableHttp) =>
        McpClient.CreateAsync(
            new StdioClientTransport(new StdioClientTransportOptions
            {
                Name = "bridge",
                Command = "dotnet",
                Arguments =
                [
                    Built, "stdio", "test", "--target-uri", new Uri(_server.Address, path).AbsoluteUri,
                    "--transport", transport is HttpTransportMode.Sse ? "sse" : "auto",
                ],
            }),
            new McpClientOptions { ProtocolVersion = revision, Handlers = handlers ?? new() });

    /// <summary>The text of a tool's answer.</summary>
    protected static async Task<string> CallAsync(
        McpClient client, string tool, Dictionary<string, object?>? arguments = null, CancellationToken cancellation = default)
    {
        CallToolResult result = await client.CallToolAsync(tool, arguments, cancellationToken: cancellation);
        string text = result.Content.OfType<TextContentBlock>().Single().Text;
        return result.IsError is true ? throw new InvalidOperationException(text) : text;
    }
}
