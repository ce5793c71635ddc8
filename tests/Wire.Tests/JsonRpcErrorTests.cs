using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Where the proxy answers in the upstream's place, the JSON-RPC id of the request comes back byte for byte.</summary>
public sealed class JsonRpcErrorTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", "1")]
    [InlineData("""{"jsonrpc":"2.0","method":"ping","id":"a-b"}""", "\"a-b\"")]
    [InlineData("""{"id":123456789012345678901234567890}""", "123456789012345678901234567890")]
    [InlineData("""{"id":-1.50e+3}""", "-1.50e+3")]
    [InlineData("""{"id":"\u00e9\n\"\\x"}""", "\"\\u00e9\\n\\\"\\\\x\"")]
    [InlineData("""{"params":{"id":7,"list":[{"id":8}]},"id" : 9 }""", "9")]
    [InlineData("""{"id":0}""", "0")]
    public async Task IdIsEchoedByteForByte(string request, string id)
    {
        string body = await FaultAsync(Messages.PostOf(request));
        Assert.StartsWith($$"""{"jsonrpc":"2.0","id":{{id}},"error":{"code":-32603,""", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notify"}""")]
    [InlineData("""{"params":{"id":7}}""")]
    [InlineData("""{"id":null}""")]
    [InlineData("""[{"id":1},{"id":2}]""")]
    [InlineData("not json")]
    [InlineData("")]
    public async Task WithoutAnIdTheMemberIsLeftOut(string request)
    {
        string body = await FaultAsync(Messages.PostOf(request));
        Assert.StartsWith("""{"jsonrpc":"2.0","error":{"code":-32603,""", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdOfAChunkedBodyIsFoundAcrossChunks()
    {
        string body = await FaultAsync(Messages.ChunkedPostHead + "5\r\n{\"id\"\r\n4;x\r\n:\"a-\r\n3\r\nb\"}\r\n0\r\n\r\n");
        Assert.Contains("\"id\":\"a-b\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdIsKnownThoughTheUpstreamFailedLater()
    {
        await using var host = new WireHost(Over.Pipes);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.PostOf("""{"id":42}"""));
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        upstream.Reset();
        Assert.Contains("\"id\":42", (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerInTheUpstreamsPlaceNamesItsReason()
    {
        string body = await FaultAsync(Messages.PostOf("""{"id":1}"""));
        Assert.EndsWith(""","data":{"reason":"upstream-unreachable"}}}""", body, StringComparison.Ordinal);
    }

    private static async Task<string> FaultAsync(string request)
    {
        await using var host = new WireHost(Over.Pipes);
        host.RefuseConnects(1);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(502, answer.Status);
        return answer.Body;
    }
}
