using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Servers that say what they mean in an unusual way, or at an unusual time.</summary>
public sealed class OddServerTests
{
    private const string Changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""";

    [Fact]
    public async Task ByteOrderMarkBeforeAnAnswerIsNotPassedOn()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.Id == "1"
            ? exchange.JsonAsync("\uFEFF" + Lines.Result("1"))
            : exchange.JsonAsync("\uFEFF" + """{"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"its own"}}""", 400));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        Assert.Equal(-32001, (await bridge.AskAsync(Lines.Call("2")))["error"]!["code"]!.GetValue<int>());
    }

    /// <summary>As Go's <c>http.Error</c> sends it.</summary>
    [Fact]
    public async Task ErrorInJsonRpcIsTheServersAnswerWhateverItsTypeIs()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            exchange.Http.Response.StatusCode = 404;
            exchange.Http.Response.ContentType = "text/plain; charset=utf-8";
            return exchange.Http.Response.WriteAsync("""{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"its own"}}""" + "\n");
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        Assert.Equal(-32001, (await bridge.AskAsync(Lines.Call("1")))["error"]!["code"]!.GetValue<int>());
        Assert.Single(server.Seen);
    }

    [Theory]
    [InlineData("text/event-stream;")]
    [InlineData("text/event-stream; charset=")]
    [InlineData("Text/Event-Stream ;;charset=utf-8")]
    public async Task StreamIsKnownByItsTypeWhateverItsParametersAre(string type)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            exchange.Http.Response.Headers.ContentType = type;
            return exchange.Http.Response.WriteAsync($"data: {Lines.Result("1")}\n\n");
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(500)]
    public async Task ServersStreamIsOpenedWithoutItsLastEventWhereTheServerHasForgottenThat(int status)
    {
        int opened = 0;
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => exchange.Field("Last-Event-ID").Length > 0
            ? exchange.JsonAsync("""{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Invalid event ID"}}""", status)
            : ++opened == 1 ? exchange.EventsAsync("retry: 1\nid: e1\ndata:\n\n")
            : OpenAsync(exchange));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();

        Assert.Equal(Changed, await bridge.ReceiveLineAsync());
        Assert.Equal(["", "e1", ""], server.Seen.Where(seen => seen.Verb == "GET").Select(seen => seen.Field("Last-Event-ID")));
    }

    [Fact]
    public async Task ServersStreamIsOpenedAgainWhenTheServerHasNoticedThatTheOldOneIsGone()
    {
        int opened = 0;
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => ++opened switch
        {
            1 => exchange.EventsAsync("retry: 1\n: open\n\n"),
            2 or 3 => exchange.StatusAsync(409),
            _ => OpenAsync(exchange),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();

        Assert.Equal(Changed, await bridge.ReceiveLineAsync());
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task RestOfAnAnswerIsFetchedWhenTheServerHasRecovered(int status)
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Verb != "GET" ? exchange.EventsAsync("id: e0\nretry: 1\ndata:\n\n")
            : ++asked < 3 ? exchange.StatusAsync(status)
            : exchange.EventsAsync($"data: {Lines.Result("1")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);
    }

    [Fact]
    public async Task AnswerThatIsNoMessageIsNotAskedForAgainAndAgain()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.Verb == "GET"
            ? exchange.EventsAsync(": nothing more\n\n")
            : exchange.EventsAsync("retry: 1\nid: e0\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-response-invalid", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task SessionWhoseHandshakeIsNotAnsweredIsEndedWithTheBridge()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Method == "initialize")
            {
                exchange.Http.Response.Headers["Mcp-Session-Id"] = "s1";
                await exchange.EventsAsync($"data: {Changed}\n\n");
                await exchange.HoldAsync();
            }
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.SendAsync(Lines.Initialize());
        Assert.Equal(Changed, await bridge.ReceiveLineAsync());

        await bridge.StopAsync();
        await bridge.EndedAsync();

        Assert.Equal("s1", Assert.Single(server.Seen, seen => seen.Verb == "DELETE").Field("Mcp-Session-Id"));
    }

    [Fact]
    public async Task SessionOfAClientThatBeginsAnewIsEnded()
    {
        int given = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Method == "initialize" ? exchange.WelcomeAsync($"s{++given}") : exchange.StatusAsync(200));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(Lines.Initialize());
        await bridge.AskAsync(Lines.Initialize());

        await server.Journal.SeenAsync("DELETE");
        Assert.Equal("s1", Assert.Single(server.Seen, seen => seen.Verb == "DELETE").Field("Mcp-Session-Id"));
    }

    [Fact]
    public async Task ServersStreamIsOpenedThoughTheClientSaysInABatchThatItIsInitialized()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } => exchange.WelcomeAsync(version: "2025-03-26"),
            { Verb: "GET" } => OpenAsync(exchange),
            _ => exchange.StatusAsync(202),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.AskAsync(Lines.Initialize("2025-03-26"));

        await bridge.SendAsync($"[{Lines.Initialized}]");

        Assert.Equal(Changed, await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task CancelledRequestIsNotWaitedForWhenTheClientHasEnded()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Id == "1" ? exchange.HoldAsync() : exchange.StatusAsync(202));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with
        {
            Upstream = options.Upstream with { Clock = new FakeTimeProvider(), Limits = new ProxyLimits { DrainTimeout = TimeSpan.FromMinutes(1) } },
        });
        await bridge.SendAsync(Lines.Call("1"));
        await server.Journal.SeenAsync("POST tools/call");
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");
        await server.Journal.SeenAsync("POST notifications/cancelled");

        await bridge.EndInputAsync();

        await bridge.EndedAsync();
    }

    /// <summary>Opens the server's own stream for good, with a notification on it.</summary>
    private static async Task OpenAsync(Exchange exchange)
    {
        await exchange.EventsAsync($"data: {Changed}\n\n");
        await exchange.HoldAsync();
    }
}
