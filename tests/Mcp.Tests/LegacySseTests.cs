using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2024-11-05 through the proxy: one GET stream whose first event names where to POST.</summary>
public sealed class LegacySseTests() : ProxiedServer(HttpServerSessionMode.Stateful)
{
    [Fact]
    public async Task ToolAnswersOnTheStream()
    {
        await using McpClient client = await ConnectLegacyAsync();

        Assert.Equal("hello", await CallAsync(client, "echo", new() { ["text"] = "hello" }));
    }

    [Fact]
    public async Task EveryStepOfProgressReachesTheClient()
    {
        await using McpClient client = await ConnectLegacyAsync();
        await using var progress = new ProgressRecorder(client);

        await progress.CallAsync("count", steps: 20);

        Assert.Equal(Enumerable.Range(1, 20), await progress.StepsAsync(20));
    }

    [Fact]
    public async Task ServerListsTheRootsOfTheClient()
    {
        await using McpClient client = await ConnectLegacyAsync(new McpClientHandlers
        {
            RootsHandler = (_, _) => ValueTask.FromResult(new ListRootsResult { Roots = [new Root { Uri = "file:///home/ada" }] }),
        });

        Assert.Equal("file:///home/ada", await CallAsync(client, "roots"));
    }

    private Task<McpClient> ConnectLegacyAsync(McpClientHandlers? handlers = null) =>
        ConnectAsync("2024-11-05", handlers, "/mcp/sse", HttpTransportMode.Sse);
}
