using System.Net;
using McpProxyFast.Mcp.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>A host that owns its connections gives them to the proxy: here, Kestrel.</summary>
public sealed class EmbeddingTests
{
    [Fact]
    public async Task KestrelConnectionIsServedByTheProxy()
    {
        await using McpServerHost server = await McpServerHost.StartAsync(HttpServerSessionMode.Stateful);
        await using var proxy = new McpProxy(new McpProxyOptions { Target = server.Address });
        await using WebApplication gateway = await StartGatewayAsync(proxy);

        await using McpClient client = await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions { Endpoint = new Uri(new Uri(gateway.Urls.Single()), "/mcp") }),
            new McpClientOptions { ProtocolVersion = Revision.Stateful });
        CallToolResult answer = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "through Kestrel" });

        Assert.Equal("through Kestrel", answer.Content.OfType<TextContentBlock>().Single().Text);
    }

    private static async Task<WebApplication> StartGatewayAsync(McpProxy proxy)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(proxy);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionHandler<ProxyConnectionHandler>()));
        WebApplication gateway = builder.Build();
        await gateway.StartAsync();
        return gateway;
    }

    private sealed class ProxyConnectionHandler(McpProxy proxy) : ConnectionHandler
    {
        public override Task OnConnectedAsync(ConnectionContext connection) =>
            proxy.ServeAsync(connection.Transport, new ClientConnectionInfo { Remote = connection.RemoteEndPoint }, connection.ConnectionClosed);
    }
}
