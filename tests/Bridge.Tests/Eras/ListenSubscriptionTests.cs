using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Tests.Support;
using static McpProxyFast.Bridge.Tests.Support.Actions;

namespace McpProxyFast.Bridge.Tests.Eras;

/// <summary>An older client is told of changes, by a stream that the server of 2026-07-28 wants to be asked for.</summary>
public sealed class ListenSubscriptionTests
{
    private const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";

    private readonly JoinRun _join = JoinRun.Joined();

    [Fact]
    public void ChangedListsAreListenedForOnceTheClientIsReady()
    {
        JsonElement listen = Sent(_join.FromClient(Initialized));
        Assert.Equal("subscriptions/listen", listen.GetProperty("method").GetString());
        Assert.Equal("""{"toolsListChanged":true}""", Filter(listen));

        Assert.Empty(Acknowledge(listen));

        string changed = Changed(listen, "notifications/tools/list_changed", "");
        Assert.Equal(changed, Told(_join.MessageFromServer(listen, changed)).GetRawText());
    }

    [Fact]
    public void NothingIsListenedForAtAServerThatTellsOfNothing() => Assert.Empty(JoinRun.Joined("""{"tools":{}}""").FromClient(Initialized));

    [Fact]
    public void SubscriptionIsAnsweredWhenTheServerHasAcknowledgedIt()
    {
        JsonElement first = Sent(_join.FromClient(Initialized));
        Acknowledge(first);

        JsonElement second = Sent(Subscribe("a", "file:///x"));
        Assert.Equal("""{"toolsListChanged":true,"resourceSubscriptions":["file:///x"]}""", Filter(second));
        IReadOnlyList<EraAction> actions = Acknowledge(second);

        Assert.Equal(first.GetProperty("id").GetRawText(), Assert.Single(actions.OfType<CloseServer>()).Id.ToString());
        Assert.Equal("""{"jsonrpc":"2.0","id":"a","result":{}}""", Assert.Single(AllTold(actions)).GetRawText());
        string updated = Changed(second, "notifications/resources/updated", ",\"uri\":\"file:///x\"");
        Assert.Equal(updated, Told(_join.MessageFromServer(second, updated)).GetRawText());
    }

    [Fact]
    public void RequestWithTheIdOfASubscriptionThatWaitsIsRefused()
    {
        Acknowledge(Sent(_join.FromClient(Initialized)));
        JsonElement listen = Sent(Subscribe("a", "file:///x"));

        JsonElement again = Told(Subscribe("a", "file:///y"));
        JsonElement other = Told(_join.FromClient("""{"jsonrpc":"2.0","id":"a","method":"tools/list"}"""));

        Assert.Equal(-32600, again.GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal(-32600, other.GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal("""{"jsonrpc":"2.0","id":"a","result":{}}""", Assert.Single(AllTold(Acknowledge(listen))).GetRawText());
    }

    [Fact]
    public void StreamBeforeTellsUntilTheNextIsAcknowledged()
    {
        JsonElement first = Sent(_join.FromClient(Initialized));
        Acknowledge(first);
        JsonElement second = Sent(Subscribe("a", "file:///x"));

        Told(_join.MessageFromServer(first, Changed(first, "notifications/tools/list_changed", "")));

        Acknowledge(second);
        Assert.Empty(_join.MessageFromServer(first, Changed(first, "notifications/tools/list_changed", "")));
    }

    [Fact]
    public void SubscriptionThatTheServerDoesNotHonourIsAnError()
    {
        JsonElement listen = Sent(Subscribe("a", "file:///x"));

        JsonElement told = Told(_join.MessageFromServer(listen, Acknowledgment(listen, """{"toolsListChanged":true}""")));

        Assert.Equal(-32602, told.Code());
        Assert.Equal("a", told.GetProperty("id").GetString());
    }

    [Fact]
    public void AcknowledgmentOfWhatIsNoTextHonoursTheRest()
    {
        JsonElement listen = Sent(Subscribe("a", "file:///x"));

        string honoured = """{"resourceSubscriptions":["\ud800",3,"file:///x"]}""";
        JsonElement told = Told(_join.MessageFromServer(listen, Acknowledgment(listen, honoured)));

        Assert.Equal("""{"jsonrpc":"2.0","id":"a","result":{}}""", told.GetRawText());
    }

    [Fact]
    public void ErrorOfTheServerAnswersTheSubscription()
    {
        JsonElement listen = Sent(Subscribe("a", "file:///x"));

        IReadOnlyList<EraAction> actions = _join.ErrorFromServer(listen, -32000);

        JsonElement told = Assert.Single(AllTold(actions));
        Assert.Equal("""{"jsonrpc":"2.0","id":"a","error":{"code":-32000,"message":"no"}}""", told.GetRawText());
        Assert.Equal("""{"toolsListChanged":true}""", Filter(Sent([.. actions.OfType<ToServer>()])));
    }

    [Fact]
    public void ServerWithoutSuchStreamsIsNotAskedAgain()
    {
        JsonElement listen = Sent(_join.FromClient(Initialized));

        Assert.Empty(_join.ErrorFromServer(listen, -32601));
    }

    [Fact]
    public void SubscriptionsThatComeMeanwhileAreTakenTogether()
    {
        JsonElement first = Sent(_join.FromClient(Initialized));
        Assert.Empty(Subscribe("a", "file:///x"));
        Assert.Empty(Subscribe("b", "file:///y"));

        JsonElement second = Sent(Acknowledge(first));
        Assert.Equal("""{"toolsListChanged":true,"resourceSubscriptions":["file:///x","file:///y"]}""", Filter(second));

        IReadOnlyList<JsonElement> told = AllTold(Acknowledge(second));
        Assert.Equal(["a", "b"], told.Select(answer => answer.GetProperty("id").GetString()));
        Assert.All(told, answer => Assert.True(answer.TryGetProperty("result", out _)));
    }

    [Fact]
    public void SubscriptionThatIsTakenBackBeforeItsTurnIsAnswered()
    {
        JoinRun join = JoinRun.Joined("""{"resources":{"subscribe":true}}""");
        JsonElement listen = Sent(Subscribe(join, "a", "file:///x"));
        Assert.Empty(Subscribe(join, "b", "file:///y"));
        Told(Unsubscribe(join, "file:///y"));
        Told(Unsubscribe(join, "file:///x"));

        IReadOnlyList<EraAction> actions = Acknowledge(join, listen);

        Assert.Equal(
            ["""{"jsonrpc":"2.0","id":"a","result":{}}""", """{"jsonrpc":"2.0","id":"b","result":{}}"""], AllTold(actions).Select(told => told.GetRawText()));
        Assert.Single(actions.OfType<CloseServer>());
    }

    [Fact]
    public void SecondSubscriptionToAResourceIsAnsweredWhereTheServerHasNoSuchStreams()
    {
        JoinRun join = JoinRun.Joined("""{"resources":{"subscribe":true}}""");
        JsonElement first = Sent(Subscribe(join, "a", "file:///x"));
        Assert.Empty(Subscribe(join, "b", "file:///x"));

        IReadOnlyList<EraAction> failed = join.ErrorFromServer(first, -32601);
        Assert.Equal("a", Assert.Single(AllTold(failed)).GetProperty("id").GetString());
        JsonElement second = Sent([.. failed.OfType<ToServer>()]);

        JsonElement told = Told(join.ErrorFromServer(second, -32601));
        Assert.Equal("b", told.GetProperty("id").GetString());
        Assert.Equal(-32601, told.Code());
    }

    [Fact]
    public void FailedSecondSubscriptionLeavesTheFirst()
    {
        Acknowledge(Sent(Subscribe("a", "file:///x")));
        JsonElement second = Sent(Subscribe("b", "file:///y"));
        Assert.Empty(Subscribe("c", "file:///x"));
        JsonElement third = Sent([.. Acknowledge(second).OfType<ToServer>()]);

        Assert.Equal("c", Told(_join.ErrorFromServer(third, -32000)).GetProperty("id").GetString());

        JsonElement fourth = Sent([.. Unsubscribe(_join, "file:///y").OfType<ToServer>()]);
        Assert.Equal("""{"toolsListChanged":true,"resourceSubscriptions":["file:///x"]}""", Filter(fourth));
    }

    [Fact]
    public void SubscriptionsThatWaitEndWithTheClient()
    {
        Sent(Subscribe("a", "file:///x"));
        Assert.Empty(Subscribe("b", "file:///y"));

        IReadOnlyList<JsonElement> told = AllTold(_join.Join.ClientEnded());

        Assert.Equal(["a", "b"], told.Select(answer => answer.GetProperty("id").GetString()));
        Assert.All(told, answer => Assert.Equal("stopped", answer.GetProperty("error").GetProperty("data").GetProperty("reason").GetString()));
    }

    [Fact]
    public void CancelledSubscriptionIsNeitherAskedForNorAnswered()
    {
        JsonElement first = Sent(_join.FromClient(Initialized));
        Assert.Empty(Subscribe("a", "file:///x"));
        Assert.Empty(Subscribe("b", "file:///y"));

        Assert.Empty(_join.FromClient("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"""));

        JsonElement second = Sent(Acknowledge(first));
        Assert.Equal("""{"toolsListChanged":true,"resourceSubscriptions":["file:///y"]}""", Filter(second));
        Assert.Equal("b", Assert.Single(AllTold(Acknowledge(second))).GetProperty("id").GetString());
    }

    [Fact]
    public void SubscriptionsThatWaitAreBounded()
    {
        JsonElement listen = Sent(Subscribe("0", "file:///x"));
        for (int i = 1; i < SubscribedResources.MaxPending; i++)
        {
            Assert.Empty(Subscribe($"{i}", "file:///x"));
        }

        Assert.Equal(-32603, Told(Subscribe("last", "file:///x")).Code());
        Acknowledge(listen);
    }

    [Fact]
    public void UnsubscribedResourceIsNoLongerListenedFor()
    {
        JsonElement first = Sent(Subscribe("a", "file:///x"));
        Acknowledge(first);

        IReadOnlyList<EraAction> actions = _join.FromClient(
            """{"jsonrpc":"2.0","id":"u","method":"resources/unsubscribe","params":{"uri":"file:///x"}}""");

        Assert.Equal("""{"jsonrpc":"2.0","id":"u","result":{}}""", Assert.Single(AllTold(actions)).GetRawText());
        Assert.Equal("""{"toolsListChanged":true}""", Filter(Sent([.. actions.OfType<ToServer>()])));
    }

    [Theory]
    [InlineData("answered")]
    [InlineData("failed")]
    public void LostStreamIsOpenedAgainLaterAndTheClientIsToldThatAllMayHaveChanged(string how)
    {
        JsonElement first = Sent(Subscribe("a", "file:///x"));
        Acknowledge(first);

        IReadOnlyList<EraAction> actions = how switch
        {
            "answered" => _join.FromServer(first, """{"resultType":"complete"}"""),
            _ => _join.ErrorFromServer(first, -32603),
        };
        ToServer second = Assert.IsType<ToServer>(Assert.Single(actions));
        Assert.True(second.After > TimeSpan.Zero);
        IReadOnlyList<EraAction> third = _join.ErrorFromServer(Sent(actions), -32603);
        Assert.True(Assert.IsType<ToServer>(Assert.Single(third)).After > second.After);

        IReadOnlyList<JsonElement> told = AllTold(Acknowledge(Sent(third)));
        Assert.Equal(
            ["notifications/tools/list_changed", "notifications/resources/updated"], told.Select(message => message.GetProperty("method").GetString()));
        Assert.Equal("file:///x", told[1].GetProperty("params").GetProperty("uri").GetString());
    }

    [Fact]
    public void SubscriptionsAreBounded()
    {
        JsonElement listen = Sent(Subscribe("0", "r:0"));
        for (int i = 1; i < SubscribedResources.MaxResources; i++)
        {
            Assert.Empty(Subscribe($"{i}", $"r:{i}"));
        }

        Assert.Equal(-32603, Told(Subscribe("last", "r:last")).Code());
        Acknowledge(listen);
    }

    private static string Filter(JsonElement listen) => listen.GetProperty("params").GetProperty("notifications").GetRawText();

    private static string Changed(JsonElement listen, string method, string more) =>
        """{"jsonrpc":"2.0","method":" """.TrimEnd() + method + "\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":"
        + listen.GetProperty("id").GetRawText() + "}" + more + "}}";

    private static string Acknowledgment(JsonElement listen, string honoured) =>
        Changed(listen, "notifications/subscriptions/acknowledged", ",\"notifications\":" + honoured);

    /// <summary>Acknowledges all that was asked for.</summary>
    private IReadOnlyList<EraAction> Acknowledge(JsonElement listen) => Acknowledge(_join, listen);

    private static IReadOnlyList<EraAction> Acknowledge(JoinRun join, JsonElement listen) =>
        join.MessageFromServer(listen, Acknowledgment(listen, Filter(listen)));

    private static IReadOnlyList<EraAction> Unsubscribe(JoinRun join, string uri) =>
        join.FromClient($$$"""{"jsonrpc":"2.0","id":"u {{{uri}}}","method":"resources/unsubscribe","params":{"uri":"{{{uri}}}"}}""");

    private IReadOnlyList<EraAction> Subscribe(string id, string uri) => Subscribe(_join, id, uri);

    private static IReadOnlyList<EraAction> Subscribe(JoinRun join, string id, string uri) =>
        join.FromClient($$$"""{"jsonrpc":"2.0","id":"{{{id}}}","method":"resources/subscribe","params":{"uri":"{{{uri}}}"}}""");
}
