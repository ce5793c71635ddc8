using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Messages both ways: what passes, as it came, and what does not.</summary>
public sealed class ForwardingTests
{
    [Fact]
    public async Task MessageReachesTheServerByteForByte()
    {
        const string message = """{ "id" : 1.0e0,"params":{"name":"a\u002fb", "x":[1 , 2]} ,"jsonrpc":"2.0", "method":"tools/call" }""";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(message);

        Assert.Equal(message, server.Seen.Single().Body);
        Assert.Equal("application/json", server.Seen.Single().Field("Content-Type"));
        Assert.Equal("application/json, text/event-stream", server.Seen.Single().Field("Accept"));
    }

    [Fact]
    public async Task PrettyPrintedAnswerLosesItsLineEndsAndNothingElse()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.JsonAsync("{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": 1,\n  \"result\": { \"t\": \"a\\nb  c\" }\n}\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal("""{  "jsonrpc": "2.0",  "id": 1,  "result": { "t": "a\nb  c" }}""", await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task EventOfSeveralLinesIsOneMessage()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.EventsAsync(": hello\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\ndata:\"id\":1,\r\ndata: \"result\":{}}\r\r"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task NotificationsOnTheStreamComeBeforeTheAnswer()
    {
        const string progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}""";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.EventsAsync($"data: {progress}\n\n", $"data: {Lines.Result("1")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal(progress, await bridge.ReceiveLineAsync());
        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task AnswersComeInTheServersOrder()
    {
        var second = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Id == "1")
            {
                await second.Task;
            }

            await exchange.JsonAsync(Lines.Result(exchange.Id!));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));
        await bridge.SendAsync(Lines.Call("2"));

        Assert.Equal("2", (await bridge.ReceiveAsync())["id"]!.ToJsonString());
        second.SetResult();
        Assert.Equal("1", (await bridge.ReceiveAsync())["id"]!.ToJsonString());
    }

    [Fact]
    public async Task BrokenJsonIsAnsweredAndTheBridgeLivesOn()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync("{ this is not JSON");
        JsonNode answer = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal(-32700, error["error"]!["code"]!.GetValue<int>());
        Assert.Null(error["id"]);
        Assert.Equal("ok", answer["result"]!["text"]!.GetValue<string>());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task EmptyLinesAreSkipped()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync("\n \r\n");

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1") + "\r"))["result"]);
    }

    [Fact]
    public async Task LastLineCountsWithoutItsEnd()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, Drains);

        await bridge.SendBytesAsync(Encoding.UTF8.GetBytes(Lines.Call("1")));
        await bridge.EndInputAsync();

        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        Assert.Null(await bridge.ReceiveLineAsync());
        await bridge.EndedAsync();
    }

    [Fact]
    public async Task MessageAbove64MiBIsRefusedWithItsIdAndTheNextOnePasses()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("2")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        byte[] block = new byte[1024 * 1024];
        block.AsSpan().Fill((byte)'x');

        await bridge.SendBytesAsync("""{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"""u8.ToArray());
        await bridge.SendBytesAsync("\""u8.ToArray());
        for (int i = 0; i <= 64; i++)
        {
            await bridge.SendBytesAsync(block);
        }

        JsonNode refused = await bridge.AskAsync("\"}}");

        Assert.Equal(-32600, refused["error"]!["code"]!.GetValue<int>());
        Assert.Equal("big", refused["id"]!.GetValue<string>());
        Assert.NotNull((await bridge.AskAsync(Lines.Call("2")))["result"]);
    }

    [Fact]
    public async Task AnswerOfTheClientAbove64MiBEndsNoRequestOfItsOwn()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.HoldAsync());
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        byte[] block = new byte[1024 * 1024];
        block.AsSpan().Fill((byte)'x');
        await bridge.SendAsync(Lines.Call("1"));

        await bridge.SendBytesAsync(Encoding.UTF8.GetBytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\""));
        for (int i = 0; i <= 64; i++)
        {
            await bridge.SendBytesAsync(block);
        }

        JsonNode refused = await bridge.AskAsync("\"}}");

        Assert.Equal(-32600, refused["error"]!["code"]!.GetValue<int>());
        Assert.Null(refused["id"]);
    }

    [Fact]
    public async Task SecondRequestWithAnOpenIdIsRefused()
    {
        var open = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            await open.Task;
            await exchange.JsonAsync(Lines.Result("1"));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));
        JsonNode refused = await bridge.AskAsync(Lines.Call("1"));
        open.SetResult();

        Assert.Equal("id-in-use", refused["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.NotNull((await bridge.ReceiveAsync())["result"]);
    }

    [Fact]
    public async Task AnswerThatNobodyWaitsForIsDropped()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.EventsAsync($"data: {Lines.Result("7")}\n\n", $"data: {Lines.Result("1")}\n\n", $"data: {Lines.Result("1", "again")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));
        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());

        // Whatever came of the first request is over once a second one has been answered.
        await bridge.SendAsync(Lines.Call("7"));
        Assert.Equal(Lines.Result("7"), await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task HttpErrorWithoutAJsonRpcErrorBecomesOneWithTheStatus()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.StatusAsync(418));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("\"a\""));

        Assert.Equal("a", error["id"]!.GetValue<string>());
        Assert.Equal(-32603, error["error"]!["code"]!.GetValue<int>());
        Assert.Equal(418, error["error"]!["data"]!["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task JsonRpcErrorOfAnHttpErrorGetsTheIdThatItLacks()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.JsonAsync("""{"jsonrpc":"2.0","error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}},"id":null}""", 400));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("5"));

        Assert.Equal(
            """{"jsonrpc":"2.0","id":5,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}""", await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task HttpErrorThatIsNoUtf8IsNotPassedOn()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            exchange.Http.Response.StatusCode = 500;
            exchange.Http.Response.ContentType = "application/json";
            await exchange.Http.Response.Body.WriteAsync(Encoding.Latin1.GetBytes("""{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"ä"}}"""));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-status", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("tools", "upstream-response-invalid")]
    [InlineData("", "upstream-answer-missing")]
    public async Task ResponseThatIsNoMessageIsAnError(string body, string reason)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(body));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal(reason, error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task RequestWithoutAnAnswerInTheResponseIsAnError()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.StatusAsync(202));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-answer-missing", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task BridgeEndsQuietlyWhenItsClientReadsNoMore()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, Drains);

        await bridge.StopReadingAsync();
        await bridge.SendAsync(Lines.Call("1"));

        await bridge.EndedAsync();
    }

    [Fact]
    public async Task HiddenToolsAreNeitherListedNorCalled()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.JsonAsync("""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_all"}, {"name":"read" },{"name":"delete_one"}]}}"""));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { IgnoredTools = ["delete_*"] });

        JsonNode list = await bridge.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");
        JsonNode refused = await bridge.AskAsync(Lines.Call("2", "delete_all"));

        Assert.Equal("read", list["result"]!["tools"]!.AsArray().Single()!["name"]!.GetValue<string>());
        Assert.Equal("tool-ignored", refused["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task HiddenToolIsCalledInNoOtherWay()
    {
        string name = new('x', 9 * 1024);
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Id is { } id ? exchange.JsonAsync(Lines.Result(id)) : exchange.StatusAsync(202));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { IgnoredTools = ["delete_*"] });

        JsonNode tooLong = await bridge.AskAsync(Lines.Call("1", name));
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_all"}}""");
        JsonNode batch = await bridge.AskAsync($$$"""[{{{Lines.Call("2")}}},{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_all"}}]""");
        JsonNode passed = await bridge.AskAsync(Lines.Call("3"));

        Assert.Equal("tool-ignored", tooLong["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Equal("tool-ignored", batch["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Equal("2", batch["id"]!.ToJsonString());
        Assert.Equal("3", passed["id"]!.ToJsonString());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task HiddenToolsAreNotToldOfByNotificationsEither()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.EventsAsync(
            """data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"tools":[{"name":"delete_all"},{"name":"read"}]}}""" + "\n\n",
            $"data: {Lines.Result("1")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { IgnoredTools = ["delete_*"] });

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal(
            """{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"tools":[{"name":"read"}]}}""", await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task EachRequestOfABatchThatIsRefusedEnds()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.StatusAsync(500));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode wrong = await bridge.AskAsync($"[{Lines.Call("1")},7,{Lines.Call("2")}]");

        Assert.Null(wrong["id"]);
        Assert.Equal("1", (await bridge.ReceiveAsync())["id"]!.ToJsonString());
        Assert.Equal("2", (await bridge.ReceiveAsync())["id"]!.ToJsonString());
        Assert.Empty(server.Seen);
    }

    private static McpBridgeOptions Drains(McpBridgeOptions options) => options with
    {
        Upstream = options.Upstream with { Limits = options.Upstream.Limits with { DrainTimeout = TimeSpan.FromMinutes(1) } },
    };
}
