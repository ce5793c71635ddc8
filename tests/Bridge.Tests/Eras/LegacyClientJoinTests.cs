using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Bridge.Tests.Support;
using static McpProxyFast.Bridge.Tests.Support.Actions;

namespace McpProxyFast.Bridge.Tests.Eras;

public sealed class LegacyClientJoinTests
{
    [Fact]
    public void HandshakeIsAnsweredFromWhatTheServerHasDiscovered()
    {
        var join = new JoinRun();

        JsonElement discover = Sent(join.Join.Start());
        Assert.Equal("server/discover", discover.GetProperty("method").GetString());
        Assert.Equal("desktop", Meta(discover, "clientInfo").GetProperty("name").GetString());

        JsonElement answer = Told(join.FromServer(discover, """
            {"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"extensions":{"x/y":{}}},
            "instructions":"be kind","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"srv"}},"ttlMs":1,"cacheScope":"public"}
            """));

        Assert.Equal(JoinState.Joined, join.Join.State);
        Assert.Equal(
            """{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"srv"},"instructions":"be kind"}""",
            answer.GetProperty("result").GetRawText());
        Assert.Equal(0, answer.GetProperty("id").GetInt32());
    }

    [Fact]
    public void ServerThatKnowsNoDiscoveryIsNotJoined()
    {
        var join = new JoinRun();
        JsonElement discover = Sent(join.Join.Start());

        Assert.Empty(join.ErrorFromServer(discover, -32601));

        Assert.Equal(JoinState.Refused, join.Join.State);
    }

    [Fact]
    public void RequestCarriesWhatTheHandshakeHasSaid()
    {
        JoinRun join = JoinRun.Joined();

        IReadOnlyList<EraAction> actions = join.FromClient("""
            {"jsonrpc":"2.0","id":"r1","method":"tools/call",
            "params":{"name":"echo","_meta":{"progressToken":5,"x":{"y":1}},"arguments":{"text":"hi","n":1.50}}}
            """);

        JsonElement sent = Sent(actions);
        Assert.Equal("r1", sent.GetProperty("id").GetString());
        Assert.Equal("2026-07-28", Meta(sent, "protocolVersion").GetString());
        Assert.Equal("""{"roots":{"listChanged":true},"sampling":{},"elicitation":{}}""", Meta(sent, "clientCapabilities").GetRawText());
        Assert.Equal(5, sent.GetProperty("params").GetProperty("_meta").GetProperty("progressToken").GetInt32());
        Assert.Equal("""{"y":1}""", sent.GetProperty("params").GetProperty("_meta").GetProperty("x").GetRawText());
        Assert.Equal("""{"text":"hi","n":1.50}""", sent.GetProperty("params").GetProperty("arguments").GetRawText());
    }

    [Fact]
    public void RequestWithoutParamsGetsThem()
    {
        JoinRun join = JoinRun.Joined();

        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""));

        Assert.Equal("2026-07-28", Meta(sent, "protocolVersion").GetString());
    }

    [Fact]
    public void ClaimsOfTheClientAboutItsRevisionAreReplaced()
    {
        JoinRun join = JoinRun.Joined();

        JsonElement sent = Sent(join.FromClient(
            """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"evil":{}}}}}"""));

        Assert.False(Meta(sent, "clientCapabilities").TryGetProperty("evil", out _));
    }

    [Fact]
    public void ResultGoesBackAsItCame()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""));

        JsonElement told = Told(join.FromServer(sent, """{"resultType":"complete","tools":[]}"""));

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[]}}""", told.GetRawText());
    }

    [Fact]
    public void PingIsAnsweredHere()
    {
        JoinRun join = JoinRun.Joined();

        Assert.Equal("""{"jsonrpc":"2.0","id":"p","result":{}}""", Told(join.FromClient("""{"jsonrpc":"2.0","id":"p","method":"ping"}""")).GetRawText());
    }

    [Fact]
    public void LogLevelGoesOnWithEachRequest()
    {
        JoinRun join = JoinRun.Joined();

        Told(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"warning"}}"""));
        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}"""));

        Assert.Equal("warning", Meta(sent, "logLevel").GetString());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}""", -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"logging/setLevel"}""", -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{}}""", -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tasks/result","params":{"taskId":"t"}}""", -32601)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}""", -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":3}}""", -32602)]
    public void WhatCannotBeTranslatedIsAnErrorThatSaysSo(string request, int code)
    {
        JoinRun join = JoinRun.Joined();

        JsonElement error = Told(join.FromClient(request)).GetProperty("error");

        Assert.Equal(code, error.GetProperty("code").GetInt32());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public void ServerWithoutSubscriptionsSaysSo()
    {
        JoinRun join = JoinRun.Joined("{}");

        Assert.Equal(-32601, Told(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a:b"}}""")).Code());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"initialize"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":"never asked","result":{}}""")]
    public void WhatTheServerHasNoWordForIsDropped(string message) => Assert.Empty(JoinRun.Joined().FromClient(message));

    [Fact]
    public void ProgressAndLogsOfARequestReachTheClient()
    {
        JoinRun join = JoinRun.Joined();
        Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"""));

        string progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}""";
        Assert.Equal(progress, Told(join.Notified(progress)).GetRawText());
    }

    [Fact]
    public void CancelledRequestIsClosedAndItsAnswerIsNobodys()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"""));

        IReadOnlyList<EraAction> actions = join.FromClient("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");

        Assert.Equal("1", Assert.IsType<CloseServer>(Assert.Single(actions)).Id.ToString());
        Assert.Empty(join.FromServer(sent, "{}"));
    }

    [Fact]
    public void IdIsUsedOnceUntilItIsAnswered()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement first = Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""));

        Assert.Equal(-32600, Told(join.FromClient("""{"jsonrpc":"2.0","id":1.0,"method":"tools/list"}""")).Code());

        join.FromServer(first, """{"tools":[]}""");
        Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""));
    }

    [Fact]
    public void ResultOfAnUnknownKindIsAnErrorThatSaysSo()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"""));

        Assert.Equal(-32603, Told(join.FromServer(sent, """{"resultType":"task","taskId":"t"}""")).Code());
    }

    [Fact]
    public void ErrorOfTheServerGoesBackUnderTheClientsId()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement sent = Sent(join.FromClient("""{"jsonrpc":"2.0","id":"a","method":"tools/list"}"""));

        JsonElement told = Told(join.MessageFromServer(sent, """{"jsonrpc":"2.0","id":null,"error":{"code":-32021,"message":"no","data":{"x":1}}}"""));

        Assert.Equal("""{"jsonrpc":"2.0","id":"a","error":{"code":-32021,"message":"no","data":{"x":1}}}""", told.GetRawText());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no","data":{"reason":"transport-unsuitable"}}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no","data":{"reason":"upstream-unreachable"}}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no","data":{"reason":"credential-missing"}}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""", false)]
    public void ServerIsAskedWhetherItHasNoHandshakeWhereItMayHaveNone(string answer, bool isAsked) =>
        Assert.Equal(isAsked, EraDetection.IsWorthAsking(Pieces.Of(answer), MessageScanner.Scan(Pieces.Of(answer))));

    [Fact]
    public void StreamOfOurOwnIsClosedWhenTheClientEnds()
    {
        JoinRun join = JoinRun.Joined();
        JsonElement listen = Sent(join.FromClient("""{"jsonrpc":"2.0","method":"notifications/initialized"}"""));

        CloseServer closed = Assert.IsType<CloseServer>(Assert.Single(join.Join.ClientEnded()));

        Assert.Equal(listen.GetProperty("id").GetRawText(), closed.Id.ToString());
    }

    internal static JsonElement Meta(JsonElement request, string key) =>
        request.GetProperty("params").GetProperty("_meta").GetProperty($"io.modelcontextprotocol/{key}");
}
