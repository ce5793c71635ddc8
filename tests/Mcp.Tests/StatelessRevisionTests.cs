using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2026-07-28 through the proxy: no sessions, and a closed stream is the cancellation.</summary>
public sealed class StatelessRevisionTests() : ProxiedServer(HttpServerSessionMode.Stateless)
{
    [Fact]
    public async Task ServerIsDiscoveredWithoutASession()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);

        Assert.Equal(Revision.Stateless, client.NegotiatedProtocolVersion);
        Assert.Null(client.SessionId);
    }

    [Fact]
    public async Task ToolsAreListed()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);

        IList<McpClientTool> tools = await client.ListToolsAsync();

        Assert.Contains(tools, tool => tool.Name == "echo");
    }

    [Fact]
    public async Task ToolAnswersWithWhatItWasGiven()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);

        Assert.Equal("hello", await CallAsync(client, "echo", new() { ["text"] = "hello" }));
    }

    [Fact]
    public async Task ResourceIsRead()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);

        ReadResourceResult today = await client.ReadResourceAsync("notes://today");

        Assert.Equal("water the plants", today.Contents.OfType<TextResourceContents>().Single().Text);
    }

    [Fact]
    public async Task PromptIsFilledIn()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);

        GetPromptResult prompt = await client.GetPromptAsync("greet", new Dictionary<string, object?> { ["name"] = "Ada" });

        Assert.Equal("Greet Ada politely.", Assert.IsType<TextContentBlock>(prompt.Messages.Single().Content).Text);
    }

    [Fact]
    public async Task EveryStepOfProgressReachesTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless);
        await using var progress = new ProgressRecorder(client);

        await progress.CallAsync("count", steps: 20);

        Assert.Equal(Enumerable.Range(1, 20), await progress.StepsAsync(20));
    }

    [Fact]
    public async Task CallThatNeedsInputIsRepeatedWithIt()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateless, new McpClientHandlers
        {
            ElicitationHandler = (_, _) => ValueTask.FromResult(new ElicitResult { Action = "decline" }),
        });

        Assert.Equal("decline", await CallAsync(client, "confirm"));
    }
}
