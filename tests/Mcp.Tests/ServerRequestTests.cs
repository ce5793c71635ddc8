using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2025-11-25 through the proxy: what the server asks of the client, over SSE.</summary>
public sealed class ServerRequestTests() : ProxiedServer(HttpServerSessionMode.Stateful)
{
    [Fact]
    public async Task ServerSamplesTheModelOfTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful, new McpClientHandlers
        {
            SamplingHandler = (request, _, _) => ValueTask.FromResult(new CreateMessageResult
            {
                Model = "none",
                Content = [new TextContentBlock { Text = $"you asked: {request!.Messages.Single().Content.OfType<TextContentBlock>().Single().Text}" }],
            }),
        });

        Assert.Equal("you asked: why?", await CallAsync(client, "sample", new() { ["question"] = "why?" }));
    }

    [Fact]
    public async Task ServerAsksTheUserOfTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful, new McpClientHandlers
        {
            ElicitationHandler = (_, _) => ValueTask.FromResult(new ElicitResult { Action = "decline" }),
        });

        Assert.Equal("decline", await CallAsync(client, "ask", new() { ["question"] = "sure?" }));
    }

    [Fact]
    public async Task ServerListsTheRootsOfTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful, new McpClientHandlers
        {
            RootsHandler = (_, _) => ValueTask.FromResult(new ListRootsResult { Roots = [new Root { Uri = "file:///home/ada" }] }),
        });

        Assert.Equal("file:///home/ada", await CallAsync(client, "roots"));
    }
}
