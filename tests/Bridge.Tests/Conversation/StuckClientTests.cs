using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>A client that does not read what it is told is heard all the same: its messages, its end, and whoever stops the bridge.</summary>
public sealed class StuckClientTests
{
    private const string Noticed = """{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BridgeEndsWithItsSessionThoughItsClientReadsNothing(bool isStopped)
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(AnswerAsync);
        await using BridgeRun bridge = await StuckAsync(server);

        await bridge.SendAsync("{ no JSON");
        await bridge.SendAsync(Noticed);
        await server.Journal.SeenAsync("POST notifications/roots/list_changed");

        await EndAsync(bridge, isStopped);
        Assert.Single(server.Seen, seen => seen.Verb == "DELETE");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BridgeThatJoinsErasEndsThoughItsClientReadsNothing(bool isStopped)
    {
        await using ScriptedServer server = await ScriptedServer.StartModernAsync(AnswerAsync);
        await using BridgeRun bridge = await StuckAsync(server);

        await bridge.SendAsync("""{"jsonrpc":"2.0","id":"p","method":"ping"}""");
        await bridge.SendAsync("""{"jsonrpc":"2.0","id":"r","method":"prompts/list"}""");
        await server.Journal.SeenAsync("POST prompts/list");

        await EndAsync(bridge, isStopped);
    }

    [Fact]
    public async Task ReaderOfTheClientWaitsWhereTooManyAnswersAreUnread()
    {
        var front = new StuckFront();
        var answers = new AnswerQueue(front, new RunningCount());
        for (int i = 0; i < AnswerQueue.MaxWaiting; i++)
        {
            Assert.True(answers.SendAsync(Pieces.Of("{}")).AsTask().IsCompleted);
        }

        Task one = answers.SendAsync(Pieces.Of("{}")).AsTask();
        Assert.False(one.IsCompleted);

        front.Read();
        await one;
    }

    [Fact]
    public async Task RequestThatWasNeverSentEndsWithTheBridge()
    {
        await using ScriptedServer server = await ScriptedServer.StartModernAsync(exchange =>
            exchange.JsonAsync($$$"""{"jsonrpc":"2.0","id":{{{exchange.Id}}},"result":{"resultType":"input_required","requestState":"busy"}}"""));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        await bridge.SendAsync(Lines.Call("1"));
        await server.Journal.SeenAsync("POST tools/call");

        await bridge.StopAsync();

        JsonNode error = await bridge.ReceiveAsync();
        Assert.Equal("1", error["id"]!.ToJsonString());
        Assert.Equal(-32603, error["error"]!["code"]!.GetValue<int>());
        Assert.Null(await bridge.ReceiveLineAsync());
    }

    /// <summary>A bridge whose client has left so much unread that no more can be written to it.</summary>
    private static async Task<BridgeRun> StuckAsync(ScriptedServer server)
    {
        BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        await bridge.SendAsync(Lines.Call("1"));
        await bridge.FullAsync();
        return bridge;
    }

    private static async Task EndAsync(BridgeRun bridge, bool isStopped)
    {
        await (isStopped ? bridge.StopAsync() : bridge.EndInputAsync());
        await bridge.EndedAsync();
    }

    /// <summary>Answers calls with more than the client can leave unread.</summary>
    private static Task AnswerAsync(Exchange exchange) => exchange switch
    {
        { Method: "tools/call", Id: { } id } => exchange.JsonAsync(Lines.Result(id, new string('x', 2 * 1024 * 1024))),
        { Id: not null } => exchange.HoldAsync(),
        _ => exchange.StatusAsync(exchange.Verb == "GET" ? 405 : 202),
    };

    /// <summary>A client that reads nothing until it is told to.</summary>
    private sealed class StuckFront : IBridgeFront
    {
        private readonly TaskCompletionSource _reads = new();

        public CancellationToken Gone => CancellationToken.None;

        public void Read() => _reads.SetResult();

        public ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task EndReceivingAsync() => Task.CompletedTask;

        public ValueTask SendAsync(System.Buffers.ReadOnlySequence<byte> message) => new(_reads.Task);

        public void Close() => throw new NotSupportedException();
    }
}
