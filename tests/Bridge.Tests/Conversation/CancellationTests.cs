using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>A request that is cancelled before it has been sent is not sent, and not answered.</summary>
public sealed class CancellationTests
{
    [Fact]
    public async Task RequestCancelledWhileTheServerIsAwayIsNotSent()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(AnswerAsync);
        var log = new LogLines();
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => Drains(options) with { Upstream = options.Upstream with { Logger = log } });
        await bridge.AskAsync(Lines.Call("1"));
        await server.StopAsync();

        await bridge.SendAsync(Lines.Call("2"));
        await log.SeenAsync("The server cannot be reached"); // an attempt that is under way would not be called back
        await bridge.SendAsync(Cancelled("2"));
        await bridge.SendAsync(Lines.Call("3"));
        await AllIsTakenAsync(bridge);
        await server.StartAsync();

        await EndsAfterAsync(bridge, "3");
        Assert.DoesNotContain(server.Seen, seen => seen.Id == "2");
    }

    [Fact]
    public async Task RequestCancelledWhileItWaitsForItsTurnIsNotSent()
    {
        var taken = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Method == "notifications/roots/list_changed")
            {
                await taken.Task;
            }

            await AnswerAsync(exchange);
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address, WaitsInOrder);
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""");
        await server.Journal.SeenAsync("POST notifications/roots/list_changed");

        await bridge.SendAsync(Lines.Call("1"));
        await bridge.SendAsync(Cancelled("1"));
        await bridge.SendAsync(Lines.Call("2"));
        await AllIsTakenAsync(bridge);
        taken.SetResult();

        await EndsAfterAsync(bridge, "2");
        Assert.DoesNotContain(server.Seen, seen => seen.Id == "1");
        Assert.DoesNotContain(server.Seen, seen => seen.Method == "notifications/cancelled");
    }

    [Fact]
    public async Task BatchOfWhichOneRequestIsCancelledIsSent()
    {
        var taken = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Method == "notifications/roots/list_changed")
            {
                await taken.Task;
                await exchange.StatusAsync(202);
                return;
            }

            await (exchange.Body[0] == '[' ? exchange.JsonAsync($"[{Lines.Result("2")}]") : AnswerAsync(exchange));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address, WaitsInOrder);
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""");
        await server.Journal.SeenAsync("POST notifications/roots/list_changed");

        await bridge.SendAsync($"[{Lines.Call("1")},{Lines.Call("2")}]");
        await bridge.SendAsync(Cancelled("1"));
        await AllIsTakenAsync(bridge);
        taken.SetResult();

        Assert.Equal($"[{Lines.Result("2")}]", await bridge.ReceiveLineAsync());
        await bridge.EndInputAsync();
        Assert.Null(await bridge.ReceiveLineAsync());
    }

    private static Task AnswerAsync(Exchange exchange) => exchange.Id is { } id ? exchange.JsonAsync(Lines.Result(id)) : exchange.StatusAsync(202);

    private static string Cancelled(string id) =>
        $$$"""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{{{id}}}}}""";

    /// <summary>The bridge has taken all that was sent to it: a line that is no message is answered at once, and in its turn.</summary>
    private static async Task AllIsTakenAsync(BridgeRun bridge) => await bridge.AskAsync("{ no JSON");

    /// <summary>The only answer is that to one request; whatever else was under way is over.</summary>
    private static async Task EndsAfterAsync(BridgeRun bridge, string id)
    {
        Assert.Equal(Lines.Result(id), await bridge.ReceiveLineAsync());
        await bridge.EndInputAsync();
        Assert.Null(await bridge.ReceiveLineAsync());
        await bridge.EndedAsync();
    }

    private static McpBridgeOptions Drains(McpBridgeOptions options) => options with
    {
        Upstream = options.Upstream with { Limits = options.Upstream.Limits with { DrainTimeout = TimeSpan.FromMinutes(1) } },
    };

    /// <summary>The same by a clock that stands still: what waits for its turn waits for as long as the test takes.</summary>
    private static McpBridgeOptions WaitsInOrder(McpBridgeOptions options) =>
        Drains(options with { Upstream = options.Upstream with { Clock = new FakeTimeProvider() } });
}
