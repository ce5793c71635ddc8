using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class OwnMessagesTests
{
    [Fact]
    public void AnswerWithAnotherIdIsTheSameElse()
    {
        string answer = """{"id":"ours","result":{ "x" : [1, "é"] },"jsonrpc":"2.0"}""";

        Assert.Equal("""{"jsonrpc":"2.0","id":7,"result":{ "x" : [1, "é"] }}""", OwnMessages.WithId(Pieces.Of(answer), MessageId.Of(7)).Text());
    }

    [Fact]
    public void ErrorWithoutAKnownIdSaysSo()
    {
        string error = OwnMessages.Error(null, MessageFaults.ParseError, "no", "why").Text();

        Assert.Equal("""{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","data":{"reason":"why"}}}""", error);
        Assert.Equal(MessageKind.ErrorResponse, MessageScanner.Scan(Pieces.Of(error)).Kind);
    }
}
