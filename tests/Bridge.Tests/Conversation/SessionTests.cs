using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>The session that the bridge keeps for its client, in revisions up to 2025-11-25.</summary>
public sealed class SessionTests
{
    [Fact]
    public async Task RequestsCarryTheSessionAndTheRevisionAgreedOn()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();
        await bridge.AskAsync(Lines.Call("1"));

        Exchange call = server.Seen.Single(seen => seen.Method == "tools/call");
        Assert.Equal("s1", call.Field("Mcp-Session-Id"));
        Assert.Equal("2025-11-25", call.Field("MCP-Protocol-Version"));
        Assert.Equal("", server.Seen.First().Field("Mcp-Session-Id"));
        Assert.Equal("", server.Seen.First().Field("MCP-Protocol-Version"));
    }

    [Fact]
    public async Task Revision20250326HasNoVersionField()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Method == "initialize" ? exchange.WelcomeAsync(version: "2025-03-26") : exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(Lines.Initialize("2025-03-26"));
        await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("", server.Seen.Last().Field("MCP-Protocol-Version"));
    }

    [Fact]
    public async Task ServersStreamIsOpenedAfterTheHandshakeAndPassedOn()
    {
        const string changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""";
        const string ping = """{"jsonrpc":"2.0","id":"from the server","method":"ping"}""";
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(async exchange =>
        {
            await exchange.EventsAsync($"data: {changed}\n\n", $"data: {ping}\n\n");
            await exchange.HoldAsync();
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();

        Assert.Equal(changed, await bridge.ReceiveLineAsync());
        Assert.Equal(ping, await bridge.ReceiveLineAsync());
        await bridge.SendAsync("""{"jsonrpc":"2.0","id":"from the server","result":{}}""");
        await server.Journal.SeenAsync("GET");
        Exchange get = server.Seen.Single(seen => seen.Verb == "GET");
        Assert.Equal("s1", get.Field("Mcp-Session-Id"));
        Assert.Equal("text/event-stream", get.Field("Accept"));
    }

    [Fact]
    public async Task ServerWithoutAStreamOfItsOwnIsDoneWithoutOne()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange =>
            exchange.Verb == "GET" ? exchange.StatusAsync(405) : exchange.JsonAsync(Lines.Result("1")));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();
        await server.Journal.SeenAsync("GET");

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);
    }

    [Fact]
    public async Task SessionIsEndedWhenTheClientEnds()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => exchange.StatusAsync(405));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        await server.Journal.SeenAsync("GET");

        await bridge.EndInputAsync();
        await bridge.EndedAsync();

        Assert.Equal("s1", server.Seen.Single(seen => seen.Verb == "DELETE").Field("Mcp-Session-Id"));
        Assert.Null(await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task AnswersUnderWayAreDeliveredWhenTheClientHasEnded()
    {
        var answer = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            await answer.Task;
            await exchange.JsonAsync(Lines.Result("1"));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with
        {
            Upstream = options.Upstream with { Limits = options.Upstream.Limits with { DrainTimeout = TimeSpan.FromMinutes(1) } },
        });

        await bridge.SendAsync(Lines.Call("1"));
        await bridge.EndInputAsync();
        await server.Journal.SeenAsync("POST tools/call");
        answer.SetResult();

        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
        await bridge.EndedAsync();
    }

    [Fact]
    public async Task RequestsUnderWayEndWithAnErrorWhenTheBridgeIsStopped()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.HoldAsync());
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.SendAsync(Lines.Call("1"));
        await server.Journal.SeenAsync("POST");

        await bridge.StopAsync();

        Assert.Equal("stopped", (await bridge.ReceiveAsync())["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Null(await bridge.ReceiveLineAsync());
        await bridge.EndedAsync();
    }

    [Fact]
    public async Task LostSessionIsMadeAnewAndTheRequestSentOnceMore()
    {
        string current = "s1";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } => exchange.WelcomeAsync(current),
            { Verb: "GET" } => exchange.StatusAsync(405),
            _ when exchange.Field("Mcp-Session-Id") != current => exchange.JsonAsync("""{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":""}""", 404),
            { Id: { } id } => exchange.JsonAsync(Lines.Result(id)),
            _ => exchange.StatusAsync(202),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        await bridge.AskAsync(Lines.Call("1"));

        current = "s2";
        JsonNode told = await bridge.AskAsync(Lines.Call("2"));
        JsonNode answer = await bridge.ReceiveAsync();

        Assert.Equal("notifications/tools/list_changed", told["method"]!.GetValue<string>());
        Assert.Equal("2", answer["id"]!.ToJsonString());
        Assert.NotNull(answer["result"]);
        Assert.Equal(["", "s1", "s1", "s1", "", "s2", "s2"], server.Seen.Where(seen => seen.Verb == "POST").Select(seen => seen.Field("Mcp-Session-Id")));
        Assert.Equal(Lines.Initialize(), server.Seen.Last(seen => seen.Method == "initialize").Body);
    }

    [Fact]
    public async Task SessionThatCannotBeMadeAnewEndsTheRequestWithAnError()
    {
        int handshakes = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } when handshakes++ == 0 => exchange.WelcomeAsync(),
            { Verb: "GET" } => exchange.StatusAsync(405),
            { Verb: "POST", Id: null } => exchange.StatusAsync(202),
            _ => exchange.StatusAsync(404),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();

        JsonNode answer = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("session-lost", answer["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task NewSessionGetsTheClientsSubscriptionsAndLogLevel()
    {
        const string level = """{"jsonrpc":"2.0","id":"l","method":"logging/setLevel","params":{"level":"debug"}}""";
        const string kept = """{"jsonrpc":"2.0","id":"k","method":"resources/subscribe","params":{"uri":"notes://kept"}}""";
        const string dropped = """{"jsonrpc":"2.0","id":"d","method":"resources/subscribe","params":{"uri":"notes://dropped"}}""";
        const string unsubscribe = """{"jsonrpc":"2.0","id":"u","method":"resources/unsubscribe","params":{"uri":"notes://dropped"}}""";
        string current = "s1";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } => exchange.WelcomeAsync(current),
            { Verb: "GET" } => exchange.StatusAsync(405),
            _ when exchange.Field("Mcp-Session-Id") != current => exchange.StatusAsync(404),
            { Id: { } id } => exchange.JsonAsync($$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{}}"""),
            _ => exchange.StatusAsync(202),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        foreach (string request in (string[])[level, kept, dropped, unsubscribe])
        {
            await bridge.AskAsync(request);
        }

        current = "s2";
        await bridge.AskAsync(Lines.Call("1"));
        await bridge.ReceiveAsync();

        Assert.Equal(
            ["initialize", "notifications/initialized", "logging/setLevel", "resources/subscribe", "tools/call"],
            server.Seen.Where(seen => (seen.Verb == "POST" && seen.Field("Mcp-Session-Id") == "s2") || seen == server.Seen.Last(each => each.Method == "initialize")).Select(seen => seen.Method));
    }

    [Fact]
    public async Task NewSessionGetsTheSubscriptionsThatCameInABatch()
    {
        const string subscribe = """{"jsonrpc":"2.0","id":"k","method":"resources/subscribe","params":{"uri":"notes://kept"}}""";
        string current = "s1";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } => exchange.WelcomeAsync(current, "2025-03-26"),
            { Verb: "GET" } => exchange.StatusAsync(405),
            _ when exchange.Field("Mcp-Session-Id") != current => exchange.StatusAsync(404),
            { Body: ['[', ..] } => exchange.JsonAsync("""[{"jsonrpc":"2.0","id":"k","result":{}}]"""),
            { Id: { } id } => exchange.JsonAsync($$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{}}"""),
            _ => exchange.StatusAsync(202),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync("2025-03-26");
        await bridge.SendAsync($"[{subscribe}]");
        await bridge.ReceiveLineAsync();

        current = "s2";
        await bridge.AskAsync(Lines.Call("1"));
        await bridge.ReceiveAsync();

        Assert.Equal(subscribe, server.Seen.Single(seen => seen.Method == "resources/subscribe").Body);
    }

    [Fact]
    public async Task WhatFollowsNotificationsThatTheServerNeverTakesWaitsForThemOnce()
    {
        var clock = new FakeTimeProvider();
        var taken = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Id is { } id ? exchange.JsonAsync(Lines.Result(id)) : taken.Task);
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Upstream = options.Upstream with { Clock = clock } });
        for (int i = 0; i < 3; i++)
        {
            await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""");
        }

        await bridge.SendAsync(Lines.Call("1"));
        await bridge.AskAsync("{ no JSON"); // so all before it have been taken
        await server.Journal.SeenAsync("POST notifications/roots/list_changed"); // and nothing connects, which has a limit on the same clock
        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.NotNull((await bridge.ReceiveAsync())["result"]);
        taken.SetResult();
    }

    [Fact]
    public async Task WhatFollowsANotificationIsSentWhenTheServerHasTakenIt()
    {
        var taken = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Id is null)
            {
                await taken.Task;
                await exchange.StatusAsync(202);
                return;
            }

            await exchange.JsonAsync(Lines.Result(exchange.Id));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""");
        await bridge.SendAsync(Lines.Call("1"));
        await server.Journal.SeenAsync("POST notifications/roots/list_changed");
        Assert.Single(server.Seen);
        taken.SetResult();

        Assert.NotNull((await bridge.ReceiveAsync())["result"]);
    }
}
