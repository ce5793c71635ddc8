using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>A client that sends all that it has to say at once, and ends before its handshake is answered.</summary>
public sealed class PipedInputTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientThatEndsBeforeItsHandshakeDoesGetsItsAnswers(bool isJoined)
    {
        var ended = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Method == "initialize")
            {
                await ended.Task;
            }

            await AnswerAsync(exchange, isJoined);
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address, Drains);
        await bridge.SendAsync(string.Join('\n', Lines.Initialize(), Lines.Initialized, Lines.Call("1"), Lines.Call("2")));
        await bridge.EndInputAsync();
        await server.Journal.SeenAsync("POST initialize");
        ended.SetResult();

        JsonNode welcome = await bridge.ReceiveAsync();
        string?[] answers = [await bridge.ReceiveLineAsync(), await bridge.ReceiveLineAsync()];

        Assert.Equal("2025-11-25", welcome["result"]!["protocolVersion"]!.GetValue<string>());
        Assert.Equal([Lines.Result("1"), Lines.Result("2")], answers.Order(StringComparer.Ordinal));
        Assert.Null(await bridge.ReceiveLineAsync());
        await bridge.EndedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientThatEndsBeforeAHandshakeThatIsNeverAnsweredGetsAnErrorForEachRequest(bool isStopped)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.HoldAsync(begins: false));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => isStopped ? Drains(options) : options);
        await bridge.SendAsync(string.Join('\n', Lines.Initialize(), Lines.Initialized, Lines.Call("1"), $"[{Lines.Call("2")}]"));
        await server.Journal.SeenAsync("POST initialize");

        await (isStopped ? bridge.StopAsync() : bridge.EndInputAsync());

        List<string> ended = [];
        while (await bridge.ReceiveLineAsync() is { } line)
        {
            JsonNode error = JsonNode.Parse(line)!;
            Assert.Equal("stopped", error["error"]!["data"]!["reason"]!.GetValue<string>());
            ended.Add(error["id"]!.ToJsonString());
        }

        Assert.Contains("\"hand\"", ended);
        Assert.Distinct(ended);
        Assert.True(isStopped || ended.Count == 3, "All that the client has sent before its end is answered.");
        await bridge.EndedAsync();
    }

    [Fact]
    public async Task HandshakeThatIsAnsweredInABatchHoldsNothingBack()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange switch
        {
            { Method: "initialize" } => exchange.JsonAsync($"[{Lines.Welcome("2025-03-26")}]"),
            { Id: { } id } => exchange.JsonAsync(Lines.Result(id)),
            _ => exchange.StatusAsync(exchange.Verb == "POST" ? 202 : 405),
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Initialize("2025-03-26"));
        await bridge.SendAsync(Lines.Call("1"));

        Assert.Equal($"[{Lines.Welcome("2025-03-26")}]", await bridge.ReceiveLineAsync());
        Assert.Equal(Lines.Result("1"), await bridge.ReceiveLineAsync());
    }

    [Fact]
    public async Task HandshakeThatIsAnsweredInABatchBeginsItsSession()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            exchange.Http.Response.Headers["Mcp-Session-Id"] = "s1";
            return exchange switch
            {
                { Method: "initialize" } => exchange.JsonAsync($"[{Lines.Welcome("2025-03-26")}]"),
                { Id: { } id } => exchange.JsonAsync(Lines.Result(id)),
                _ => exchange.StatusAsync(exchange.Verb == "POST" ? 202 : 405),
            };
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.AskAsync(Lines.Initialize("2025-03-26"));
        await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("s1", server.Seen.Single(seen => seen.Id == "1").Field("Mcp-Session-Id"));
        Assert.DoesNotContain(server.Seen, seen => seen.Verb == "DELETE");
    }

    /// <summary>A server of 2026-07-28 alone, or one with a handshake.</summary>
    private static Task AnswerAsync(Exchange exchange, bool isModern) => exchange switch
    {
        { Method: "initialize" } when isModern => exchange.JsonAsync("""{"jsonrpc":"2.0","id":"hand","error":{"code":-32601,"message":"no"}}""", 404),
        { Method: "initialize" } => exchange.WelcomeAsync(),
        { Method: "server/discover", Id: { } id } => exchange.JsonAsync(
            $$"""{"jsonrpc":"2.0","id":{{id}},"result":""" + """{"resultType":"complete","capabilities":{"tools":{}}}}"""),
        { Method: "tools/call" } when isModern != exchange.Body.Contains("2026-07-28", StringComparison.Ordinal) => exchange.StatusAsync(400),
        { Id: { } id } => exchange.JsonAsync(Lines.Result(id)),
        _ => exchange.StatusAsync(exchange.Verb == "POST" ? 202 : exchange.Verb == "DELETE" ? 200 : 405),
    };

    private static McpBridgeOptions Drains(McpBridgeOptions options) => options with
    {
        Upstream = options.Upstream with { Limits = options.Upstream.Limits with { DrainTimeout = TimeSpan.FromMinutes(1) } },
    };
}
