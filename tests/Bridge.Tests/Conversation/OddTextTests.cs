using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Half of a surrogate pair, escaped, is JSON but no text (RFC 8259 §8.2): it ends no request.</summary>
public sealed class OddTextTests
{
    [Theory]
    [InlineData("""{"protocolVersion":"\ud800","capabilities":{}}""")]
    [InlineData("""{"\ud800rotocolVersion":1,"\ud800":2,"protocolVersion":"2025-11-25","capabilities":{"\ud800ools":{"\ud800istChanged":true}}}""")]
    public async Task HandshakeIsAnsweredWithWhatTheServerHasSaid(string result)
    {
        string answer = """{"jsonrpc":"2.0","id":"hand","result":""" + result + "}";
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange => exchange.JsonAsync(answer));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.SendAsync(Lines.Initialize());

        Assert.Equal(answer, await bridge.ReceiveLineAsync());
    }
}
