using System.Buffers;
using System.Text;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

public sealed class JsonRpcErrorTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":7,"method":"x"}""", "7")]
    [InlineData("""{"method":"x","params":{"id":1},"id":"a\u0062"}""", "\"a\\u0062\"")]
    [InlineData("""{"id":1.5e3}""", "1.5e3")]
    [InlineData("""{"id":null}""", "")]
    [InlineData("""{"id":{}}""", "")]
    [InlineData("""[{"id":1}]""", "")]
    [InlineData("""{"method":"x"}""", "")]
    [InlineData("""{"params":{"id":""", "")]
    [InlineData("""{"id":1,"result":{"id":2}}""", "")]
    [InlineData("""{"error":{"code":1},"id":1}""", "")]
    [InlineData("""{"id":1,"method":"x","params":{"te""", "1")]
    [InlineData("not json", "")]
    [InlineData("""{"\uD800":1,"id":2}""", "")]
    [InlineData("", "")]
    public void IdIsFoundAsItWasWritten(string body, string id)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);

        Assert.Equal(id, Encoding.UTF8.GetString(JsonRpcError.FindId(BodyFraming.OfLength(bytes.Length), new ReadOnlySequence<byte>(bytes)).Span));
    }

    [Fact]
    public void IdIsFoundInAChunkedBody()
    {
        ReadOnlySequence<byte> body = new("6\r\n{\"id\":\r\n3;x\r\n42}\r\n0\r\n\r\n"u8.ToArray());

        Assert.Equal("42", Encoding.UTF8.GetString(JsonRpcError.FindId(BodyFraming.OfChunks(Heads.Body), body).Span));
    }

    [Fact]
    public void ErrorEchoesTheIdAndNamesTheReason() => Assert.Equal(
        """{"jsonrpc":"2.0","id":"x","error":{"code":-32603,"message":"m","data":{"reason":"r"}}}""",
        Encoding.UTF8.GetString(JsonRpcError.Build(JsonRpcError.InternalError, "m", "r", "\"x\""u8)));

    [Fact]
    public void ErrorWithoutAnIdLeavesItOut() => Assert.Equal(
        """{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}""",
        Encoding.UTF8.GetString(JsonRpcError.Build(JsonRpcError.InvalidRequest, "m", "", default)));
}
