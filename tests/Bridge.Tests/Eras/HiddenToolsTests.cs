using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Eras;

/// <summary>Tools that a client is not to see are cut out of every page of a list, however it is answered and whatever is translated.</summary>
public sealed class HiddenToolsTests
{
    private const string First = """{"resultType":"complete","tools":[{"name":"delete_all"},{"name":"read"},{"name":"delete_one"}],"nextCursor":"p\u0032"}""";

    private const string Second = """{"resultType":"complete","tools":[{"name":"delete_two"}],"ttlMs":1}""";

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task HiddenToolsAreOnNoPageAndAreNotCalled(bool isJoined, bool asEvents)
    {
        await using ScriptedServer server = isJoined
            ? await ScriptedServer.StartModernAsync(exchange => ListAsync(exchange, asEvents))
            : await ScriptedServer.StartWithHandshakeAsync(exchange => ListAsync(exchange, asEvents));
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { IgnoredTools = ["delete_*"] });
        await bridge.InitializeAsync();

        await bridge.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");
        Assert.Equal(
            """{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[{"name":"read"}],"nextCursor":"p\u0032"}}""",
            await bridge.ReceiveLineAsync());
        await bridge.SendAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"p2"}}""");
        Assert.Equal("""{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","tools":[],"ttlMs":1}}""", await bridge.ReceiveLineAsync());
        JsonNode refused = await bridge.AskAsync(Lines.Call("3", "delete_two"));

        Assert.Equal("3", refused["id"]!.ToJsonString());
        Assert.Equal("tool-ignored", refused["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.DoesNotContain(server.Seen, seen => seen.Method == "tools/call");
    }

    private static Task ListAsync(Exchange exchange, bool asEvents)
    {
        if (exchange is not { Method: "tools/list", Id: { } id })
        {
            return exchange.StatusAsync(exchange.Verb == "POST" ? 202 : 405);
        }

        string page = exchange.Json!["params"]?["cursor"]?.GetValue<string>() == "p2" ? Second : First;
        string answer = $$"""{"jsonrpc":"2.0","id":{{id}},"result":{{page}}}""";
        return asEvents ? exchange.EventsAsync($"event: message\ndata: {answer}\n\n") : exchange.JsonAsync(answer);
    }
}
