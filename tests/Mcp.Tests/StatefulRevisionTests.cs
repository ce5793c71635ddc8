using System.Text.Json.Nodes;
using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2025-11-25 through the proxy: what the client asks of the server.</summary>
public sealed class StatefulRevisionTests() : ProxiedServer(HttpServerSessionMode.Stateful)
{
    [Fact]
    public async Task ToolsAreListed()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        IList<McpClientTool> tools = await client.ListToolsAsync();

        Assert.Contains(tools, tool => tool.Name == "echo");
    }

    [Fact]
    public async Task ToolAnswersWithWhatItWasGiven()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        Assert.Equal("grüße, 世界", await CallAsync(client, "echo", new() { ["text"] = "grüße, 世界" }));
    }

    [Fact]
    public async Task ToolAnswersWithAMegabyte()
    {
        string text = string.Concat(Enumerable.Range(0, 100_000).Select(number => $"{number:D9} "));
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        Assert.Equal(text, await CallAsync(client, "echo", new() { ["text"] = text }));
    }

    [Fact]
    public async Task ParallelCallsGetTheirOwnAnswers()
    {
        string[] texts = [.. Enumerable.Range(0, 64).Select(number => $"call {number}")];
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        string[] answers = await Task.WhenAll(texts.Select(text => CallAsync(client, "echo", new() { ["text"] = text })));

        Assert.Equal(texts, answers);
    }

    [Fact]
    public async Task ResourceIsRead()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        ReadResourceResult today = await client.ReadResourceAsync("notes://today");

        Assert.Equal("water the plants", today.Contents.OfType<TextResourceContents>().Single().Text);
    }

    [Fact]
    public async Task ResourceTemplateIsRead()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        ReadResourceResult monday = await client.ReadResourceAsync("notes://days/monday");

        Assert.Equal("notes of monday", monday.Contents.OfType<TextResourceContents>().Single().Text);
    }

    [Fact]
    public async Task SubscriberHearsOfAChangedResource()
    {
        var heard = new TaskCompletionSource<string>();
        await using McpClient client = await ConnectAsync(Revision.Stateful);
        await using IAsyncDisposable subscription = await client.SubscribeToResourceAsync("notes://today", (update, _) =>
        {
            heard.TrySetResult(update.Uri);
            return ValueTask.CompletedTask;
        });

        await CallAsync(client, "touch", new() { ["uri"] = "notes://today" });

        Assert.Equal("notes://today", await heard.Task.Soon());
        await Journal.SeenAsync("subscribed notes://today");
    }

    [Fact]
    public async Task PromptIsFilledIn()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        GetPromptResult prompt = await client.GetPromptAsync("greet", new Dictionary<string, object?> { ["name"] = "Ada" });

        Assert.Equal("Greet Ada politely.", Assert.IsType<TextContentBlock>(prompt.Messages.Single().Content).Text);
    }

    [Fact]
    public async Task ArgumentIsCompleted()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        CompleteResult result = await client.CompleteAsync(new PromptReference { Name = "greet" }, "name", "A");

        Assert.Equal(["Ada", "Am"], result.Completion.Values);
    }

    [Fact]
    public async Task LogMessageReachesTheClient()
    {
        var heard = new TaskCompletionSource<string?>();
        await using McpClient client = await ConnectAsync(Revision.Stateful);
        await using IAsyncDisposable listening = client.RegisterNotificationHandler(NotificationMethods.LoggingMessageNotification, (notification, _) =>
        {
            heard.TrySetResult(notification.Params?["data"]?.GetValue<string>());
            return ValueTask.CompletedTask;
        });
        await client.SetLoggingLevelAsync(LoggingLevel.Debug);

        await CallAsync(client, "log", new() { ["message"] = "low on water" });

        Assert.Equal("low on water", await heard.Task.Soon());
        await Journal.SeenAsync("level Debug");
    }

    [Fact]
    public async Task EveryStepOfProgressReachesTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);
        await using var progress = new ProgressRecorder(client);

        await progress.CallAsync("count", steps: 20);

        Assert.Equal(Enumerable.Range(1, 20), await progress.StepsAsync(20));
    }

    [Fact]
    public async Task CancellationReachesTheServer()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);
        var call = new JsonRpcRequest { Id = new RequestId("a long one"), Method = RequestMethods.ToolsCall, Params = new JsonObject { ["name"] = "wait" } };
        Task<JsonRpcResponse> unanswered = client.SendRequestAsync(call);
        await Journal.SeenAsync("wait began");

        await client.SendNotificationAsync(NotificationMethods.CancelledNotification, new CancelledNotificationParams { RequestId = call.Id });

        await Journal.SeenAsync("wait was cancelled");
        Assert.False(unanswered.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task EndOfTheSessionReachesTheServer()
    {
        McpClient client = await ConnectAsync(Revision.Stateful);

        await client.DisposeAsync();

        await Journal.SeenAsync("DELETE");
    }
}
