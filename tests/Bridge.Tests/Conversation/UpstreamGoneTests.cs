using System.Net.Sockets;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>A server that is not there, goes, and comes back.</summary>
public sealed class UpstreamGoneTests
{
    [Fact]
    public async Task RequestWaitsForTheServerAndThenEndsWithAnErrorThatSaysWhy()
    {
        using Socket nobody = Loopback.Bind();
        var nowhere = new Uri($"http://{nobody.LocalEndPoint}/mcp");
        await using BridgeRun bridge = BridgeRun.Start(nowhere, options => options with { ReconnectTimeout = TimeSpan.FromMilliseconds(50) });

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("1", error["id"]!.ToJsonString());
        Assert.Equal(-32603, error["error"]!["code"]!.GetValue<int>());
        Assert.Equal("upstream-unreachable", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task RequestThatWaitsIsSentWhenTheServerIsBack()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.AskAsync(Lines.Call("1"));
        await server.StopAsync();

        await bridge.SendAsync(Lines.Call("2"));
        await server.StartAsync();

        Assert.Equal("2", (await bridge.ReceiveAsync())["id"]!.ToJsonString());
        Assert.Equal(2, server.Seen.Count);
    }

    [Fact]
    public async Task RequestOnACutExchangeIsNotSentTwice()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.CutAsync());
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-closed-early", error["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task AnswerIsFetchedFromAServerThatWasStartedAgain()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Verb == "GET")
            {
                await exchange.EventsAsync($"id: e1\ndata: {Lines.Result("1")}\n\n");
                return;
            }

            await exchange.EventsAsync("id: e0\nretry: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n");
            await exchange.HoldAsync();
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.AskAsync(Lines.Call("1"));

        await server.StopAsync();
        await server.StartAsync();

        Assert.NotNull((await bridge.ReceiveAsync())["result"]);
        Assert.Equal("e0", server.Seen.Last().Field("Last-Event-ID"));
    }

    [Fact]
    public async Task EachOfAThousandRequestsEndsOnceWhenTheServerIsKilledAndStartedAgain()
    {
        const int most = 1_000;
        const int mostHeld = most / 4;
        int held = 0;
        bool isSecond = false;
        var isFull = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (!Volatile.Read(ref isSecond) && int.Parse(exchange.Id!) % 2 == 0 && Interlocked.Increment(ref held) is var mine and <= mostHeld)
            {
                if (mine == mostHeld)
                {
                    isFull.SetResult();
                }

                await exchange.HoldAsync();
                return;
            }

            await exchange.JsonAsync(Lines.Result(exchange.Id!));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        Task sending = SendAllAsync(bridge, most);
        Task restarting = RestartAsync();
        var ended = new Dictionary<int, int>();
        int failed = 0;
        for (int i = 0; i < most; i++)
        {
            JsonNode answer = await bridge.ReceiveAsync();
            int id = answer["id"]!.GetValue<int>();
            ended[id] = ended.GetValueOrDefault(id) + 1;
            failed += answer["error"] is null ? 0 : 1;
        }

        await sending;
        await restarting;
        Assert.Equal(most, ended.Count);
        Assert.All(ended, pair => Assert.Equal(1, pair.Value));
        Assert.InRange(failed, mostHeld, most);
        await bridge.EndInputAsync();
        Assert.Null(await bridge.ReceiveLineAsync());

        async Task RestartAsync()
        {
            await isFull.Task;
            Volatile.Write(ref isSecond, true);
            await server.StopAsync();
            await server.StartAsync();
        }
    }

    private static async Task SendAllAsync(BridgeRun bridge, int most)
    {
        for (int id = 0; id < most; id++)
        {
            await bridge.SendAsync(Lines.Call($"{id}"));
        }
    }
}
