using System.Buffers;
using System.Text;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class IdSearchTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":"big","method":"m","params":{"id":2}}""", "\"big\"")]
    [InlineData("""{"method":"m","params":{"id":[1,{"id":3}],"t":"\"id\":4"},"jsonrpc":"2.0","id":5}""", "5")]
    [InlineData(""" { "params" : [ "}" , "\\" ] , "id" : "a\"b" , "x" : 1 } """, "\"a\\\"b\"")]
    [InlineData("""{"\u0069d":-1.5e1,"method":"m"}""", "-1.5e1")]
    [InlineData("""{"id":1,"method":"m","params":{"text":"it is cut he""", "1")]
    [InlineData("""{"method":"m","params":{"text":"it is cut he""", "")]
    [InlineData("""{"id":{"id":1},"method":"m"}""", "")]
    [InlineData("""{"id":null,"method":"m"}""", "")]
    [InlineData("""{"id":01,"method":"m"}""", "")]
    [InlineData("""{"id":1 2,"method":"m"}""", "")]
    [InlineData("""[{"id":1,"method":"m"}]""", "")]
    [InlineData("""{"x":"id","id2":1}""", "")]
    [InlineData("]}{", "")]
    [InlineData("no JSON", "")]
    public void IdOfARequestIsFoundWhereverItStands(string message, string id) => Pieces.Everywhere(message, bytes => Assert.Equal(id, Found(bytes)));

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"text":"it is cut he""")]
    [InlineData("""{"jsonrpc":"2.0","error":{"code":1},"id":1}""")]
    public void AnswerHasTheIdOfAnothersRequestAndSoNone(string message) => Assert.Equal("", Found(Pieces.Of(message)));

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"id":2,"method":"m","text":"it is cut he""", "1")]
    [InlineData("""{"jsonrpc":"2.0","error":{"code":1},"id":"a"}""", "\"a\"")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m","params":{"result":2}}""", "")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m","result":{}}""", "")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{},"id":2}""", "")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"error":{}}""", "")]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"result":{}}]""", "")]
    public void IdOfAnAnswerIsKeptApartFromThoseOfRequests(string message, string id) =>
        Pieces.Everywhere(message, bytes => Assert.Equal(id, Search(bytes).AnswerId?.ToString() ?? ""));

    [Theory]
    [InlineData("""{"id":1,"method":"m","id":2}""")]
    [InlineData("""{"id":null,"method":"m","id":2}""")]
    public void IdThatIsThereTwiceIsNone(string message) => Assert.Equal("", Found(Pieces.Of(message)));

    [Fact]
    public void IdThatIsTooLongIsNone() =>
        Assert.Equal("", Found(Pieces.Of($$"""{"id":"{{new string('x', MessageScanner.MaxTextBytes)}}","method":"m"}""")));

    private static string Found(ReadOnlySequence<byte> message) => Encoding.UTF8.GetString(Search(message).Id.Span);

    private static IdSearch Search(ReadOnlySequence<byte> message)
    {
        var search = new IdSearch();
        foreach (ReadOnlyMemory<byte> piece in message)
        {
            search.Add(new ReadOnlySequence<byte>(piece));
        }

        return search;
    }
}
