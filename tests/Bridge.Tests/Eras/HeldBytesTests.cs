using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Bridge.Tests.Support;
using static McpProxyFast.Bridge.Tests.Support.Actions;

namespace McpProxyFast.Bridge.Tests.Eras;

/// <summary>What a client has sent is held once between eras, and given back when neither the server nor the join needs it.</summary>
public sealed class HeldBytesTests
{
    private const string Small = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}""";

    private const string Busy = """{"resultType":"input_required","requestState":"busy"}""";

    private static readonly string Large =
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"text":""" +
        $"\"{new string('x', LegacyRequests.SmallBytes)}\"" + "}}}";

    private readonly JoinRun _join = JoinRun.Joined();

    /// <summary>The client's message.</summary>
    private readonly Bytes _bytes = new();

    [Fact]
    public void RequestIsHeldUntilItIsSentAndAnswered()
    {
        ToServer sent = Send(Large);
        Assert.False(_bytes.AreGivenBack);

        Answer(sent);

        Assert.True(_bytes.AreGivenBack);
    }

    [Fact]
    public void CancelledRequestIsHeldUntilItIsSent()
    {
        ToServer sent = Forward(Large);
        _join.FromClient("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");
        Assert.False(_bytes.AreGivenBack);

        sent.Hold!.Dispose();

        Assert.True(_bytes.AreGivenBack);
    }

    [Fact]
    public void LargeRequestIsNotHeldBesideItsLargeAnswer()
    {
        ToServer sent = Send(Large);

        _join.Join.AnswerIsLarge(sent.Id!.Value);

        Assert.True(_bytes.AreGivenBack);
        JsonElement refused = Told(_join.FromServer(Sent([sent]), Busy));
        Assert.Equal(-32603, refused.Code());
        Assert.Equal("1", refused.GetProperty("id").GetRawText());
    }

    [Fact]
    public void SmallRequestIsHeldBesideALargeAnswerAndSentAgain()
    {
        ToServer sent = Send(Small);
        _join.Join.AnswerIsLarge(sent.Id!.Value);
        Assert.False(_bytes.AreGivenBack);

        ToServer again = Assert.IsType<ToServer>(Assert.Single(_join.FromServer(Sent([sent]), Busy)));

        Assert.Equal("busy", Sent([again]).GetProperty("params").GetProperty("requestState").GetString());
        again.Hold!.Dispose();
        Assert.False(_bytes.AreGivenBack);
        Answer(again);
        Assert.True(_bytes.AreGivenBack);
    }

    [Fact]
    public void AnswerOfTheClientIsHeldUntilItsRequestIsAnswered()
    {
        JsonElement call = Sent(_join.FromClient(Small));
        JsonElement asked = Told(_join.FromServer(call, """{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}"""));

        string id = asked.GetProperty("id").GetRawText();
        string text = new('x', MessageSplicer.TakenInBytes);

        ToServer again = Send($$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"roots":[],"x":"{{{text}}}"}}""");
        Assert.False(_bytes.AreGivenBack);
        Answer(again);

        Assert.True(_bytes.AreGivenBack);
    }

    [Fact]
    public void NotificationIsHeldUntilItIsSent()
    {
        ToServer sent = Forward("""{"jsonrpc":"2.0","method":"notifications/x"}""");
        Assert.False(_bytes.AreGivenBack);

        sent.Hold!.Dispose();
        sent.Hold.Dispose();

        Assert.True(_bytes.AreGivenBack);
    }

    [Fact]
    public void MessageThatDoesNotGoOnIsNotHeld()
    {
        var origin = new SharedBytes([_bytes]);
        using (origin.Use())
        {
            Told(_join.FromClient("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", origin));
        }

        Assert.True(_bytes.AreGivenBack);
    }

    /// <summary>Gives the join a message of the client that goes on.</summary>
    private ToServer Forward(string message)
    {
        var origin = new SharedBytes([_bytes]);
        using (origin.Use())
        {
            return Assert.IsType<ToServer>(Assert.Single(_join.FromClient(message, origin)));
        }
    }

    /// <summary>The same, and it has been sent.</summary>
    private ToServer Send(string message)
    {
        ToServer sent = Forward(message);
        sent.Hold!.Dispose();
        return sent;
    }

    /// <summary>The server answers, and the client is told.</summary>
    private void Answer(ToServer sent) => Told(_join.FromServer(Sent([sent]), """{"content":[]}"""));

    private sealed class Bytes : IDisposable
    {
        public bool AreGivenBack { get; private set; }

        public void Dispose()
        {
            Assert.False(AreGivenBack);
            AreGivenBack = true;
        }
    }
}
