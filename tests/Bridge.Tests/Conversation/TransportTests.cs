using System.Text.Json.Nodes;
using System.Threading.Channels;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Which transport is spoken, and HTTP+SSE of 2024-11-05.</summary>
public sealed class TransportTests
{
    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(405)]
    public async Task ServerThatTakesNoPostIsAskedForHttpSse(int status)
    {
        await using SseServer server = await SseServer.StartAsync(status);
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode welcome = await bridge.InitializeAsync("2024-11-05");
        JsonNode answer = await bridge.AskAsync(Lines.Call("1"));

        Assert.NotNull(welcome["result"]);
        Assert.NotNull(answer["result"]);
    }

    [Fact]
    public async Task ErrorInJsonRpcIsTheServersAnswer()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.JsonAsync("""{"jsonrpc":"2.0","id":"hand","error":{"code":-32600,"message":"no"}}""", 400));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Protocol = McpBridgeProtocol.PassThrough });

        JsonNode error = await bridge.AskAsync(Lines.Initialize());

        Assert.Equal(-32600, error["error"]!["code"]!.GetValue<int>());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task StreamableHttpAloneDoesNotFallBack()
    {
        await using SseServer server = await SseServer.StartAsync(404);
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Transport = McpBridgeTransport.StreamableHttp });

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-status", error["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.DoesNotContain(server.Http.Seen, seen => seen.Verb == "GET");
    }

    [Fact]
    public async Task HttpSseAloneBeginsWithItsStream()
    {
        await using SseServer server = await SseServer.StartAsync(500);
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Transport = McpBridgeTransport.Sse });

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);
        Assert.Equal("GET", server.Http.Seen.First().Verb);
    }

    [Fact]
    public async Task ServerThatSpeaksNeitherIsAnError()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.StatusAsync(404));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Protocol = McpBridgeProtocol.PassThrough });

        JsonNode error = await bridge.AskAsync(Lines.Initialize());

        Assert.Equal("transport-unsuitable", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("http://127.0.0.2:9/messages")]
    [InlineData("//127.0.0.2:9/messages")]
    public async Task AddressOfAnotherOriginIsNotPostedTo(string endpoint)
    {
        await using SseServer server = await SseServer.StartAsync(404, endpoint);
        await using BridgeRun bridge = BridgeRun.Start(
            server.Address, options => options with { Transport = McpBridgeTransport.Sse, ReconnectTimeout = TimeSpan.FromMilliseconds(10) });

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-closed-early", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task StreamThatBreaksEndsItsRequestsAndTheNextOneIsInitializedAnew()
    {
        await using SseServer server = await SseServer.StartAsync(404);
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Transport = McpBridgeTransport.Sse });
        await bridge.InitializeAsync("2024-11-05");
        await bridge.SendAsync(Lines.Call("1", "hold"));
        await server.Http.Journal.SeenAsync("POST tools/call");

        await server.BreakAsync();

        Assert.Equal("upstream-aborted-body", (await bridge.ReceiveAsync())["error"]!["data"]!["reason"]!.GetValue<string>());
        await bridge.SendAsync(Lines.Call("2"));
        Assert.Equal("notifications/tools/list_changed", (await bridge.ReceiveAsync())["method"]!.GetValue<string>());
        Assert.NotNull((await bridge.ReceiveAsync())["result"]);
        Assert.Equal(2, server.Http.Seen.Count(seen => seen.Method == "initialize"));
        Assert.Equal(2, server.Http.Seen.Count(seen => seen.Method == "notifications/initialized"));
    }

    [Fact]
    public async Task AnswerThatIsTooLargeEndsItsRequestWhileTheStreamGoesOn()
    {
        await using SseServer server = await SseServer.StartAsync(405);
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();

        await bridge.SendAsync(Lines.Call("1", "huge"));
        JsonNode huge = await bridge.ReceiveAsync();
        JsonNode next = await bridge.AskAsync(Lines.Call("2"));

        Assert.Equal("upstream-answer-too-large", huge["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Equal(1, huge["id"]!.GetValue<int>());
        Assert.Equal(2, next["id"]!.GetValue<int>());
        Assert.NotNull(next["result"]);
    }

    [Fact]
    public async Task BatchPassesAsItIsBothWays()
    {
        string batch = $"[{Lines.Call("1")}, {Lines.Call("2")}]";
        string answers = $"[{Lines.Result("2")},{Lines.Result("1")} ]";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(answers));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(batch);

        Assert.Equal(answers, await bridge.ReceiveLineAsync());
        Assert.Equal(batch, server.Seen.Single().Body);
    }

    [Fact]
    public async Task RequestsOfABatchThatAreNotAnsweredEndWithAnErrorEach()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync($"[{Lines.Result("2")}]"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync($"[{Lines.Call("1")},{Lines.Call("2")}]");

        Assert.Equal($"[{Lines.Result("2")}]", await bridge.ReceiveLineAsync());
        JsonNode error = await bridge.ReceiveAsync();
        Assert.Equal("1", error["id"]!.ToJsonString());
        Assert.Equal("upstream-answer-missing", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task AnswerThatABatchRepeatsIsPassedOnOnce()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(
            exchange.Id == "3" ? Lines.Result("3") : $"[{Lines.Result("1")},{Lines.Result("1")},{Lines.Result("2")},{Lines.Result("77")}]"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync($"[{Lines.Call("1")},{Lines.Call("2")}]");

        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        Assert.Equal(Lines.Result("2"), await bridge.ReceiveLineAsync());
        Assert.Equal("3", (await bridge.AskAsync(Lines.Call("3")))["id"]!.ToJsonString());
    }

    [Fact]
    public async Task AnswerThatCameBeforeItsBatchIsNotPassedOnAgain()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.Id == "3"
            ? exchange.JsonAsync(Lines.Result("3"))
            : exchange.EventsAsync($"data: {Lines.Result("1")}\n\n", $"data: [{Lines.Result("1")},{Lines.Result("2")}]\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync($"[{Lines.Call("1")},{Lines.Call("2")}]");

        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        Assert.Equal(Lines.Result("2"), await bridge.ReceiveLineAsync());
        Assert.Equal("3", (await bridge.AskAsync(Lines.Call("3")))["id"]!.ToJsonString());
    }

    [Fact]
    public async Task BatchWithABrokenMessageIsRefused()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.StatusAsync(500));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync($"[{Lines.Call("1")},7]");

        Assert.Equal(-32600, error["error"]!["code"]!.GetValue<int>());
        Assert.Empty(server.Seen);
    }
}

/// <summary>A server that speaks HTTP+SSE and answers POSTs to its main address with a status.</summary>
internal sealed class SseServer : IAsyncDisposable
{
    private readonly int _status;
    private readonly string _endpoint;

    /// <summary>What goes out on the stream that is open; replaced with each.</summary>
    private Channel<string> _stream = Channel.CreateUnbounded<string>();

    private SseServer(int status, string endpoint) => (_status, _endpoint) = (status, endpoint);

    public ScriptedServer Http { get; private set; } = null!;

    public Uri Address => Http.Address;

    public static async Task<SseServer> StartAsync(int status, string endpoint = "messages?session=7")
    {
        var server = new SseServer(status, endpoint);
        server.Http = await ScriptedServer.StartAsync(server.AnswerAsync);
        return server;
    }

    /// <summary>Ends the stream that is open.</summary>
    public Task BreakAsync()
    {
        _stream.Writer.Complete();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => Http.DisposeAsync();

    private async Task AnswerAsync(Exchange exchange)
    {
        if (exchange.Verb == "GET")
        {
            await StreamAsync(exchange);
            return;
        }

        if (exchange.Path != "/messages")
        {
            await exchange.StatusAsync(_status);
            return;
        }

        Assert.Equal("?session=7", exchange.Query);
        await exchange.StatusAsync(202);
        string? answer = exchange switch
        {
            { Method: "initialize" } => Lines.Welcome("2024-11-05"),
            { Id: { } id } when exchange.Body.Contains("huge", StringComparison.Ordinal) => Lines.Result(id, new string('x', BridgeLimits.MaxMessageBytes)),
            { Id: { } id } when !exchange.Body.Contains("hold", StringComparison.Ordinal) => Lines.Result(id),
            _ => null,
        };
        if (answer is not null)
        {
            await _stream.Writer.WriteAsync($"event: message\ndata: {answer}\n\n");
        }
    }

    private async Task StreamAsync(Exchange exchange)
    {
        Channel<string> stream = _stream = Channel.CreateUnbounded<string>();
        await exchange.EventsAsync($"event: endpoint\ndata: {_endpoint}\n\n");
        await foreach (string each in stream.Reader.ReadAllAsync(exchange.Http.RequestAborted))
        {
            await exchange.EventsAsync(each);
        }
    }
}
