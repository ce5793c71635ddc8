using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;
using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpProxyFast.Bridge.Tests.Eras;

/// <summary>The official client of 2025-11-25 at the official server of 2026-07-28 alone: neither knows of the other's era.</summary>
public sealed class CrossedErasTests : IAsyncLifetime
{
    private ModernServer _server = null!;

    public async Task InitializeAsync() => _server = await ModernServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task HandshakeIsDoneWithAServerThatHasNone()
    {
        await using BridgedClient bridged = await ConnectAsync();

        Assert.Equal(Revision.Stateful, bridged.Client.NegotiatedProtocolVersion);
        Assert.NotNull(bridged.Client.ServerCapabilities.Tools);
        Assert.NotEqual("unknown", bridged.Client.ServerInfo?.Name);
        await bridged.Client.PingAsync();
    }

    [Fact]
    public async Task HandshakeIsRefusedWhereNothingIsTranslated()
    {
        McpException refused = await Assert.ThrowsAnyAsync<McpException>(
            () => BridgedClient.ConnectAsync(_server.Endpoint, Revision.Stateful, protocol: McpBridgeProtocol.PassThrough));

        Assert.Contains("2026-07-28", refused.Message + refused.InnerException?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ToolsResourcesAndPromptsAreUsed()
    {
        await using BridgedClient bridged = await ConnectAsync();

        Assert.Contains(await bridged.Client.ListToolsAsync(), tool => tool.Name == "echo");
        Assert.Equal("grüße, 世界", await bridged.CallAsync("echo", new() { ["text"] = "grüße, 世界" }));
        ReadResourceResult today = await bridged.Client.ReadResourceAsync("notes://today");
        Assert.Equal("water the plants", today.Contents.OfType<TextResourceContents>().Single().Text);
        GetPromptResult prompt = await bridged.Client.GetPromptAsync("greet", new Dictionary<string, object?> { ["name"] = "Ada" });
        Assert.Equal("Greet Ada politely.", Assert.IsType<TextContentBlock>(prompt.Messages.Single().Content).Text);
        CompleteResult completion = await bridged.Client.CompleteAsync(new PromptReference { Name = "greet" }, "name", "A");
        Assert.Equal(["Ada"], completion.Completion.Values);
    }

    [Fact]
    public async Task ServerAsksTheClientsUserModelAndRoots()
    {
        await using BridgedClient bridged = await ConnectAsync(new McpClientHandlers
        {
            ElicitationHandler = (request, _) => ValueTask.FromResult(new ElicitResult { Action = request!.Message == "who?" ? "decline" : "cancel" }),
            SamplingHandler = (request, _, _) => ValueTask.FromResult(new CreateMessageResult
            {
                Model = request!.Messages.Single().Content.OfType<TextContentBlock>().Single().Text,
                Content = [new TextContentBlock { Text = "none" }],
            }),
            RootsHandler = (_, _) => ValueTask.FromResult(new ListRootsResult { Roots = [new Root { Uri = "file:///home/ada" }] }),
        });

        Assert.Equal("decline, what?, file:///home/ada, cancel", await bridged.CallAsync("consult"));
    }

    [Fact]
    public async Task ServerHearsThatTheClientCannotBeAsked()
    {
        await using BridgedClient bridged = await ConnectAsync();

        await Assert.ThrowsAnyAsync<McpException>(() => bridged.CallAsync("confirm"));
    }

    [Fact]
    public async Task EveryStepOfProgressReachesTheClient()
    {
        await using BridgedClient bridged = await ConnectAsync();
        await using var progress = new ProgressRecorder(bridged.Client);

        await progress.CallAsync("count", steps: 20);

        Assert.Equal(Enumerable.Range(1, 20), await progress.StepsAsync(20));
    }

    [Fact]
    public async Task LogMessagesComeOnceTheClientHasAskedForThem()
    {
        var heard = new TaskCompletionSource<string?>();
        await using BridgedClient bridged = await ConnectAsync();
        await using IAsyncDisposable listening = bridged.Client.RegisterNotificationHandler(
            NotificationMethods.LoggingMessageNotification,
            (notification, _) =>
            {
                heard.TrySetResult(notification.Params?["data"]?.GetValue<string>());
                return ValueTask.CompletedTask;
            });
        await bridged.Client.SetLoggingLevelAsync(LoggingLevel.Debug);

        await bridged.CallAsync("log", new() { ["message"] = "low on water" });

        Assert.Equal("low on water", await heard.Task.Soon());
    }

    [Fact]
    public async Task CancelledCallIsCancelledAtTheServer()
    {
        await using BridgedClient bridged = await ConnectAsync();
        var call = new JsonRpcRequest { Id = new RequestId("a long one"), Method = RequestMethods.ToolsCall, Params = new JsonObject { ["name"] = "wait" } };
        Task<JsonRpcResponse> unanswered = bridged.Client.SendRequestAsync(call);
        await _server.Journal.SeenAsync("wait began");

        await bridged.Client.SendNotificationAsync(NotificationMethods.CancelledNotification, new CancelledNotificationParams { RequestId = call.Id });

        await _server.Journal.SeenAsync("wait was cancelled");
        Assert.False(unanswered.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task ChangedListReachesTheClient()
    {
        var heard = new TaskCompletionSource();
        await using BridgedClient bridged = await ConnectAsync();
        await using IAsyncDisposable listening = bridged.Client.RegisterNotificationHandler(
            NotificationMethods.ToolListChangedNotification,
            (_, _) =>
            {
                heard.TrySetResult();
                return ValueTask.CompletedTask;
            });
        await _server.Journal.SeenAsync("listening for");

        await bridged.CallAsync("change");

        await heard.Task.Soon();
    }

    [Fact]
    public async Task SubscriberHearsOfAChangedResource()
    {
        var heard = new TaskCompletionSource<string>();
        await using BridgedClient bridged = await ConnectAsync();
        IAsyncDisposable subscription = await bridged.Client.SubscribeToResourceAsync("notes://today", (update, _) =>
        {
            heard.TrySetResult(update.Uri);
            return ValueTask.CompletedTask;
        });

        await bridged.CallAsync("change", new() { ["uri"] = "notes://today" });

        Assert.Equal("notes://today", await heard.Task.Soon());
        await subscription.DisposeAsync();
        await _server.Journal.SeenAsync(
            """stopped listening for {"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["notes://today"]}""");
    }

    [Fact]
    public async Task ArgumentThatTheServerWantsInAHeaderIsThere()
    {
        await using BridgedClient bridged = await ConnectAsync();
        await bridged.Client.ListToolsAsync();

        Assert.Equal("in Köln", await bridged.CallAsync("where", new() { ["region"] = "Köln" }));
    }

    [Fact]
    public async Task ToolThatNoListHasNamedIsLookedUp()
    {
        await using BridgedClient bridged = await ConnectAsync();

        Assert.Equal("in Köln", await bridged.CallAsync("where", new() { ["region"] = "Köln" }));
    }

    [Fact]
    public async Task ParallelCallsGetTheirOwnAnswers()
    {
        string[] texts = [.. Enumerable.Range(0, 64).Select(number => $"call {number}")];
        await using BridgedClient bridged = await ConnectAsync();

        string[] answers = await Task.WhenAll(texts.Select(text => bridged.CallAsync("echo", new() { ["text"] = text })));

        Assert.Equal(texts, answers);
    }

    [Fact]
    public async Task ServerHearsThatTheClientHasGone()
    {
        BridgedClient bridged = await ConnectAsync();
        await _server.Journal.SeenAsync("listening for");

        await bridged.DisposeAsync();

        await _server.Journal.SeenAsync("stopped listening for");
    }

    private Task<BridgedClient> ConnectAsync(McpClientHandlers? handlers = null) =>
        BridgedClient.ConnectAsync(_server.Endpoint, Revision.Stateful, handlers);
}
