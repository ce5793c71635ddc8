using System.Text;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Half of a surrogate pair, escaped, is JSON but no text (RFC 8259 §8.2): it ends no request.</summary>
public sealed class OddTextTests
{
    [Theory]
    [InlineData("""{"protocolVersion":"\ud800","capabilities":{}}""")]
    [InlineData("""{"protocolVersion":"2025-11-25","capabilities":{"\ud800":{},"\ud800ools":{},"tools":{"\ud800istChanged":true}}}""")]
    public async Task HandshakeIsAnsweredWithWhatTheServerHasSaid(string result)
    {
        string answer = """{"jsonrpc":"2.0","id":"hand","result":""" + result + "}";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(answer));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Initialize());

        Assert.Equal(answer, await bridge.ReceiveLineAsync());
    }

    /// <summary>As programs of some languages write it before the first line.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ByteOrderMarkBeforeTheFirstMessageIsPassedOver(int firstPiece)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        byte[] bytes = Encoding.UTF8.GetBytes($"\uFEFF{Lines.Call("1")}\n{Lines.Call("2")}\n");

        await bridge.SendBytesAsync(bytes.AsMemory(0, firstPiece));
        await bridge.SendBytesAsync(bytes.AsMemory(firstPiece));

        Assert.Equal(["1", "2"], new[] { await bridge.ReceiveAsync(), await bridge.ReceiveAsync() }.Select(answer => answer["id"]!.ToJsonString()).Order());
        Assert.Equal([Lines.Call("1"), Lines.Call("2")], server.Seen.Select(seen => seen.Body).Order());
    }
}
