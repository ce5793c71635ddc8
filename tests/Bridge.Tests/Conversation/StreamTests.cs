using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Streams that break off, and what comes of the requests on them.</summary>
public sealed class StreamTests
{
    private const string Progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}""";

    [Fact]
    public async Task RestOfAnAnswerIsFetchedBehindTheLastEvent()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.Verb == "GET"
            ? exchange.EventsAsync($"id: e2\ndata: {Lines.Result("1")}\n\n")
            : exchange.EventsAsync("id: e0\nretry: 10\ndata:\n\n", $"id: e1\ndata: {Progress}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal(Progress, await bridge.ReceiveLineAsync());
        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        Assert.Equal("e1", server.Seen.Last().Field("Last-Event-ID"));
    }

    [Fact]
    public async Task ServerMayEndTheStreamAgainAndAgain()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.Verb == "GET" && ++asked == 5
            ? exchange.EventsAsync($"id: e{asked}\ndata: {Lines.Result("1")}\n\n")
            : exchange.EventsAsync($"id: e{asked}\nretry: 1\ndata:\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);

        Assert.Equal(["e0", "e1", "e2", "e3", "e4"], server.Seen.Skip(1).Select(seen => seen.Field("Last-Event-ID")));
    }

    [Fact]
    public async Task StreamThatIsCutWithoutAnEventIdEndsItsRequestOnce()
    {
        var passedOn = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Id == "2")
            {
                await exchange.JsonAsync(Lines.Result("2"));
                return;
            }

            await exchange.EventsAsync($"data: {Progress}\n\n");
            await passedOn.Task;
            await exchange.CutAsync();
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal(Progress, await bridge.ReceiveLineAsync());
        passedOn.SetResult();
        JsonNode error = await bridge.ReceiveAsync();
        Assert.Equal("1", error["id"]!.ToJsonString());
        Assert.Equal("upstream-aborted-body", error["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.NotNull((await bridge.AskAsync(Lines.Call("2")))["result"]);
    }

    [Fact]
    public async Task JsonAnswerThatIsCutIsAnErrorAndNothingOfItIsPassedOn()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using BridgeRun bridge = BridgeRun.Start(new Uri($"http://{listener.LocalEndpoint}/mcp"));
        Task serving = AnswerHalfAsync(listener);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        // Which of them depends on whether the end came in the same packet.
        Assert.Contains(error["error"]!["data"]!["reason"]!.GetValue<string>(), (string[])["upstream-aborted-body", "upstream-closed-early"]);
        await serving;
    }

    [Fact]
    public async Task RestThatTheServerNoLongerHasIsAnError()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Verb == "GET" ? exchange.StatusAsync(400) : exchange.EventsAsync("id: e0\nretry: 1\ndata:\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-aborted-body", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task StreamOf20260728IsNotTakenUpAgain()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.EventsAsync("id: e0\nretry: 1\ndata:\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.ModernCall("1"));

        Assert.Equal("upstream-aborted-body", error["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task ServersStreamIsOpenedAgainBehindItsLastEvent()
    {
        const string changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""";
        int opened = 0;
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(async exchange =>
        {
            await exchange.EventsAsync($"retry: 1\nid: e{++opened}\ndata: {changed}\n\n");
            if (opened == 3)
            {
                await exchange.HoldAsync();
            }
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(changed, await bridge.ReceiveLineAsync());
        }

        Assert.Equal(["", "e1", "e2"], server.Seen.Where(seen => seen.Verb == "GET").Select(seen => seen.Field("Last-Event-ID")));
    }

    [Fact]
    public async Task QuestionThatTheServerTakesBackIsTakenBackAtTheClient()
    {
        const string question = """{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}""";
        const string cancelled = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q","reason":"too late"}}""";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.EventsAsync($"data: {question}\n\n", $"data: {cancelled}\n\n", $"data: {Lines.Result("1")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        foreach (string expected in (string[])[question, cancelled, Lines.Result("1")])
        {
            Assert.Equal(expected, await bridge.ReceiveLineAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CancellationOf20260728ClosesTheExchangeAndIsNotSent(bool hasBegun)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Id == "1")
            {
                await (hasBegun ? exchange.EventsAsync(": open\n\n") : Task.CompletedTask);
                await exchange.HoldAsync(begins: hasBegun);
            }

            await exchange.JsonAsync(Lines.Result(exchange.Id!));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.SendAsync(Lines.ModernCall("1"));
        await server.Journal.SeenAsync("POST");
        var closed = new TaskCompletionSource();
        server.Seen.Single().Http.RequestAborted.Register(closed.SetResult);

        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");

        await closed.Task.Soon();
        Assert.Equal("2", (await bridge.AskAsync(Lines.ModernCall("2")))["id"]!.ToJsonString());
        Assert.Equal(2, server.Seen.Count);
    }

    [Fact]
    public async Task SubscriptionOf20260728IsKeptOpenBesideOtherRequests()
    {
        const string acknowledged = """{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}""";
        const string changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}""";
        var isAsked = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Method == "tools/call")
            {
                await exchange.JsonAsync(Lines.Result(exchange.Id!));
                return;
            }

            await exchange.EventsAsync($"data: {acknowledged}\n\n");
            await isAsked.Task;
            await exchange.EventsAsync($"data: {changed}\n\n");
            await exchange.HoldAsync();
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(
            """{"jsonrpc":"2.0","id":"sub","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"""
            + """ "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}""");
        Assert.Equal(acknowledged, await bridge.ReceiveLineAsync());
        Assert.NotNull((await bridge.AskAsync(Lines.ModernCall("1")))["result"]);
        isAsked.SetResult();

        Assert.Equal(changed, await bridge.ReceiveLineAsync());
        Assert.Equal("subscriptions/listen", server.Seen.First().Field("Mcp-Method"));
        Assert.Equal(["POST", "POST"], server.Seen.Select(seen => seen.Verb));
    }

    [Fact]
    public async Task CancellationOfAnOlderRevisionIsSentBehindItsRequest()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Id == "1")
            {
                await exchange.HoldAsync();
                return;
            }

            await exchange.StatusAsync(202);
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");

        await server.Journal.SeenAsync("POST notifications/cancelled");
        Assert.Equal("tools/call", server.Seen.First().Method);
    }

    [Fact]
    public async Task HeadersOf20260728AreMadeFromTheMessage()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(Lines.ModernCall("1", "weather"));

        Exchange call = server.Seen.Single();
        Assert.Equal("2026-07-28", call.Field("MCP-Protocol-Version"));
        Assert.Equal("tools/call", call.Field("Mcp-Method"));
        Assert.Equal("weather", call.Field("Mcp-Name"));
    }

    [Fact]
    public async Task TraceParentOfAMessageBecomesTheField()
    {
        const string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        string call = """{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"traceparent":"TRACE"}}}""".Replace("TRACE", parent, StringComparison.Ordinal);
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(call);

        Assert.Equal(parent, server.Seen.Single().Field("traceparent"));
        Assert.Equal(call, server.Seen.Single().Body);
    }

    /// <summary>Takes a request and ends the connection in an orderly way in the middle of the answer.</summary>
    private static async Task AnswerHalfAsync(TcpListener listener)
    {
        using Socket connection = await listener.AcceptSocketAsync();
        byte[] buffer = new byte[16 * 1024];
        var request = new StringBuilder();
        while (!request.ToString().EndsWith('}'))
        {
            request.Append(Encoding.ASCII.GetString(buffer, 0, await connection.ReceiveAsync(buffer)));
        }

        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"resu"u8.ToArray());
        connection.Shutdown(SocketShutdown.Both);
    }
}
