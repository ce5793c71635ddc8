using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Tests.Support;
using static McpProxyFast.Bridge.Tests.Support.Actions;

namespace McpProxyFast.Bridge.Tests.Eras;

/// <summary>What a server of 2026-07-28 wants to know becomes requests that an older client understands.</summary>
public sealed class InputRequiredTests
{
    private const string Call = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1}}}""";

    private const string TwoQuestions =
        """
        {"resultType":"input_required","requestState":"s\u0031","inputRequests":{
        "who":{"method":"elicitation/create","params":{"mode":"form","message":"who?","requestedSchema":{"type":"object"}}},
        "what":{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}}}
        """;

    private readonly JoinRun _join = JoinRun.Joined();

    [Fact]
    public void QuestionsAreAskedAndTheRequestIsSentAgainWithTheAnswers()
    {
        JsonElement call = Sent(_join.FromClient(Call));

        IReadOnlyList<JsonElement> asked = AllTold(_join.FromServer(call, TwoQuestions));
        Assert.Equal(["elicitation/create", "sampling/createMessage"], asked.Select(request => request.GetProperty("method").GetString()));
        Assert.Equal("who?", asked[0].GetProperty("params").GetProperty("message").GetString());

        Assert.Empty(Answer(asked[1], """{"role":"assistant","model":"m","content":{"type":"text","text":"hi"}}"""));
        JsonElement again = Sent(Answer(asked[0], """{"action":"accept","content":{}}"""));

        Assert.NotEqual("1", again.GetProperty("id").GetRawText());
        JsonElement parameters = again.GetProperty("params");
        Assert.Equal("""{"a":1}""", parameters.GetProperty("arguments").GetRawText());
        Assert.Equal("\"s\\u0031\"", parameters.GetProperty("requestState").GetRawText());
        Assert.Equal("""{"action":"accept","content":{}}""", parameters.GetProperty("inputResponses").GetProperty("who").GetRawText());
        Assert.Equal("m", parameters.GetProperty("inputResponses").GetProperty("what").GetProperty("model").GetString());
        Assert.Equal("2026-07-28", LegacyClientJoinTests.Meta(again, "protocolVersion").GetString());

        JsonElement told = Told(_join.FromServer(again, """{"resultType":"complete","content":[]}"""));
        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}""", told.GetRawText());
    }

    [Fact]
    public void RequestThatWaitsForTheClientEndsWithIt()
    {
        JsonElement call = Sent(_join.FromClient(Call));
        _join.FromServer(call, TwoQuestions);

        IReadOnlyList<JsonElement> told = AllTold(_join.Join.ClientEnded());

        Assert.Equal(-32603, Assert.Single(told, message => message.TryGetProperty("id", out JsonElement id) && id.GetRawText() == "1").Code());
        Assert.Equal(2, told.Count(message => message.TryGetProperty("method", out JsonElement method) && method.GetString() == "notifications/cancelled"));
    }

    [Theory]
    [InlineData(TwoQuestions)]
    [InlineData("""{"resultType":"input_required","requestState":"x"}""")]
    public void ServerThatWantsMoreOfAClientThatHasEndedGetsNoneAndTheRequestEnds(string more)
    {
        JsonElement call = Sent(_join.FromClient(Call));
        Assert.Empty(_join.Join.ClientEnded());

        JsonElement told = Told(_join.FromServer(call, more));

        Assert.Equal("1", told.GetProperty("id").GetRawText());
        Assert.Equal(-32603, told.Code());
    }

    [Fact]
    public void WhatIsKeptOfOpenRequestsIsBounded()
    {
        JoinRun join = JoinRun.Joined(maxKeptBytes: 4_000);
        string text = new('x', 2_000);
        string Long(int id) => $$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"tools/call","params":{"name":"{{{text}}}"}}""";
        JsonElement first = Sent(join.FromClient(Long(1)));

        JsonElement refused = Told(join.FromClient(Long(2)));
        Assert.Equal(-32603, refused.Code());
        Assert.Equal("2", refused.GetProperty("id").GetRawText());

        JsonElement ended = Told(join.FromServer(first, $$"""{"resultType":"input_required","requestState":"{{text}}{{text}}"}"""));
        Assert.Equal(-32603, ended.Code());
        Sent(join.FromClient(Long(3)));
    }

    [Fact]
    public void EachRoundCarriesOnlyItsOwnAnswersAndState()
    {
        JsonElement first = Sent(_join.FromClient(Call));
        JsonElement second = AnswerRoots(_join.FromServer(first, Roots("k1", """ "requestState":"one", """)));
        JsonElement third = AnswerRoots(_join.FromServer(second, Roots("k2", "")));

        Assert.Equal("one", second.GetProperty("params").GetProperty("requestState").GetString());
        Assert.False(third.GetProperty("params").TryGetProperty("requestState", out _));
        Assert.Equal("""{"k2":{"roots":[]}}""", third.GetProperty("params").GetProperty("inputResponses").GetRawText());
        Assert.Distinct([first, second, third], new ById());
    }

    [Fact]
    public void RequestThatOnlyWaitsIsSentAgainLaterEachTime()
    {
        JsonElement call = Sent(_join.FromClient(Call));

        IReadOnlyList<EraAction> second = _join.FromServer(call, """{"resultType":"input_required","requestState":"x"}""");
        IReadOnlyList<EraAction> third = _join.FromServer(Sent(second), """{"resultType":"input_required","requestState":"y"}""");

        Assert.False(Sent(third).GetProperty("params").TryGetProperty("inputResponses", out _));
        Assert.Equal("y", Sent(third).GetProperty("params").GetProperty("requestState").GetString());
        TimeSpan wait = Assert.IsType<ToServer>(second[0]).After;
        Assert.True(wait > TimeSpan.Zero);
        Assert.True(Assert.IsType<ToServer>(third[0]).After > wait);
    }

    [Theory]
    [InlineData("""{"resultType":"input_required"}""")]
    [InlineData("""{"resultType":"input_required","inputRequests":[]}""")]
    [InlineData("""{"resultType":"input_required","inputRequests":{"k":{"method":"ping"}}}""")]
    [InlineData("""{"resultType":"input_required","inputRequests":{"k":3}}""")]
    [InlineData("""{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":3}}}""")]
    [InlineData("""{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.test/"}}}}""")]
    public void WhatTheClientCannotBeAskedIsAnErrorThatSaysSo(string result)
    {
        JsonElement call = Sent(_join.FromClient(Call));

        JsonElement told = Told(_join.FromServer(call, result));

        Assert.Equal(1, told.GetProperty("id").GetInt32());
        Assert.Equal(-32603, told.Code());
    }

    [Fact]
    public void QuestionThatTheClientAnswersWithAnErrorEndsTheRequest()
    {
        JsonElement call = Sent(_join.FromClient(Call));
        IReadOnlyList<JsonElement> asked = AllTold(_join.FromServer(call, TwoQuestions));

        IReadOnlyList<JsonElement> told = AllTold(_join.FromClient(
            $$$"""{"jsonrpc":"2.0","id":{{{asked[0].GetProperty("id").GetRawText()}}},"error":{"code":-1,"message":"rejected"}}"""));

        Assert.Equal("notifications/cancelled", told[0].GetProperty("method").GetString());
        Assert.Equal(asked[1].GetProperty("id").GetRawText(), told[0].GetProperty("params").GetProperty("requestId").GetRawText());
        Assert.Equal(-32603, told[1].Code());
        Assert.Equal(1, told[1].GetProperty("id").GetInt32());
        Assert.Empty(Answer(asked[1], "{}"));
    }

    [Fact]
    public void CancelledRequestTakesItsQuestionsBack()
    {
        JsonElement call = Sent(_join.FromClient(Call));
        IReadOnlyList<JsonElement> asked = AllTold(_join.FromServer(call, Roots("k", "")));

        IReadOnlyList<EraAction> actions = _join.FromClient("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");

        Assert.Equal("notifications/cancelled", Told(actions).GetProperty("method").GetString());
        Assert.Empty(Answer(asked[0], """{"roots":[]}"""));
        Sent(_join.FromClient(Call));
    }

    [Fact]
    public void RoundsAreBounded()
    {
        JsonElement sent = Sent(_join.FromClient(Call));
        for (int round = 0; round < LegacyRequests.MaxRounds; round++)
        {
            sent = AnswerRoots(_join.FromServer(sent, Roots("k", "")));
        }

        Assert.Equal(-32603, Told(_join.FromServer(sent, Roots("k", ""))).Code());
    }

    private static string Roots(string key, string more) =>
        "{" + more + "\"resultType\":\"input_required\",\"inputRequests\":{\"" + key + "\":{\"method\":\"roots/list\"}}}";

    private JsonElement AnswerRoots(IReadOnlyList<EraAction> actions)
    {
        JsonElement asked = Told(actions);
        Assert.Equal("roots/list", asked.GetProperty("method").GetString());
        return Sent(Answer(asked, """{"roots":[]}"""));
    }

    private IReadOnlyList<EraAction> Answer(JsonElement asked, string result) =>
        _join.FromClient($$"""{"jsonrpc":"2.0","id":{{asked.GetProperty("id").GetRawText()}},"result":{{result}}}""");

    private sealed class ById : IEqualityComparer<JsonElement>
    {
        public bool Equals(JsonElement x, JsonElement y) => Id(x) == Id(y);

        public int GetHashCode(JsonElement obj) => Id(obj).GetHashCode(StringComparison.Ordinal);

        private static string Id(JsonElement message) => message.GetProperty("id").GetRawText();
    }
}
