using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>What comes of messages that are more, or larger, than the bridge holds: an error that says so, and the next message passes.</summary>
public sealed class BoundTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"text":" """, "\"}}\n", "7")]
    [InlineData("""{"jsonrpc":"2.0","method":"tools/call","params":{"text":" """, "\"},\"id\":\"a\"}\n", "\"a\"")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/other","params":{"text":" """, "\"}}\n", "null")]
    public async Task MessageAboveTheLimitIsReadToItsEndAndAnsweredWithItsId(string begin, string end, string id)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        byte[] piece = new byte[1024 * 1024];
        piece.AsSpan().Fill((byte)'x');

        await bridge.SendBytesAsync(Encoding.UTF8.GetBytes(begin));
        for (int sent = 0; sent < BridgeLimits.MaxMessageBytes; sent += piece.Length)
        {
            await bridge.SendBytesAsync(piece);
        }

        await bridge.SendBytesAsync(Encoding.UTF8.GetBytes(end));
        JsonNode refused = await bridge.ReceiveAsync();

        Assert.Equal(id, refused["id"]?.ToJsonString() ?? "null");
        Assert.Equal(-32600, refused["error"]!["code"]!.GetValue<int>());
        Assert.Equal("message-too-large", Reason(refused));
        Assert.NotNull((await bridge.AskAsync(Lines.Call("8")))["result"]);
        Assert.Single(server.Seen);
    }

    [Theory]
    [InlineData(8193, "too long. It may have at most 8192 bytes")]
    [InlineData(8192, null)]
    public async Task IdAboveTheLimitIsAnsweredWithTheLimit(int length, string? told)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode answer = await bridge.AskAsync(Lines.Call($"\"{new string('x', length - 2)}\""));

        Assert.Equal(told is null, answer["error"] is null);
        Assert.Contains(told ?? "", answer["error"]?["message"]!.GetValue<string>() ?? "", StringComparison.Ordinal);
        Assert.NotNull((await bridge.AskAsync(Lines.Call("8")))["result"]);
    }

    [Fact]
    public async Task RequestBeyondThoseThatMayBeOpenIsRefused()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.HoldAsync(begins: false));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        for (int i = 0; i < BridgeLimits.MaxOpenRequests; i++)
        {
            await bridge.SendAsync(Lines.Call($"{i}"));
        }

        JsonNode refused = await bridge.AskAsync(Lines.Call("\"last\""));

        Assert.Equal("\"last\"", refused["id"]!.ToJsonString());
        Assert.Equal("too-many-requests", Reason(refused));
    }

    [Fact]
    public async Task BatchWithTooManyMessagesIsRefusedAndTheBridgeLivesOn()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode refused = await bridge.AskAsync($"[{string.Join(',', Enumerable.Range(0, BridgeLimits.MaxBatch + 1).Select(i => Lines.Call($"{i}")))}]");

        Assert.Equal(-32600, refused["error"]!["code"]!.GetValue<int>());
        Assert.Equal("batch-too-long", Reason(refused));
        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);
    }

    private static string Reason(JsonNode refused) => refused["error"]!["data"]!["reason"]!.GetValue<string>();
}
