using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Where the proxy answers in the upstream's place, the JSON-RPC id of the request comes back byte for byte.</summary>
public sealed class JsonRpcErrorTests
{
    [Theory]
    [OverEvery("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", "1")]
    [OverEvery("""{"jsonrpc":"2.0","method":"ping","id":"a-b"}""", "\"a-b\"")]
    [OverEvery("""{"id":123456789012345678901234567890}""", "123456789012345678901234567890")]
    [OverEvery("""{"id":-1.50e+3}""", "-1.50e+3")]
    [OverEvery("""{"id":"\u00e9\n\"\\x"}""", "\"\\u00e9\\n\\\"\\\\x\"")]
    [OverEvery("""{"params":{"id":7,"list":[{"id":8}]},"id" : 9 }""", "9")]
    [OverEvery("""{"id":0}""", "0")]
    public async Task IdIsEchoedByteForByte(Over over, string request, string id)
    {
        string body = await FaultAsync(over, Messages.PostOf(request));
        Assert.StartsWith($$"""{"jsonrpc":"2.0","id":{{id}},"error":{"code":-32603,""", body, StringComparison.Ordinal);
    }

    [Theory]
    [OverEvery("""{"jsonrpc":"2.0","method":"notify"}""")]
    [OverEvery("""{"params":{"id":7}}""")]
    [OverEvery("""{"id":null}""")]
    [OverEvery("""[{"id":1},{"id":2}]""")]
    [OverEvery("not json")]
    [OverEvery("")]
    public async Task WithoutAnIdTheMemberIsLeftOut(Over over, string request)
    {
        string body = await FaultAsync(over, Messages.PostOf(request));
        Assert.StartsWith("""{"jsonrpc":"2.0","error":{"code":-32603,""", body, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task IdOfAChunkedBodyIsFoundAcrossChunks(Over over)
    {
        string body = await FaultAsync(over, Messages.ChunkedPostHead + "5\r\n{\"id\"\r\n4;x\r\n:\"a-\r\n3\r\nb\"}\r\n0\r\n\r\n");
        Assert.Contains("\"id\":\"a-b\"", body, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task IdIsKnownThoughTheUpstreamFailedLater(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.PostOf("""{"id":42}"""));
        upstream.Reset();
        Assert.Contains("\"id\":42", (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task AnswerInTheUpstreamsPlaceNamesItsReason(Over over)
    {
        string body = await FaultAsync(over, Messages.PostOf("""{"id":1}"""));
        Assert.EndsWith(""","data":{"reason":"upstream-unreachable"}}}""", body, StringComparison.Ordinal);
    }

    private static async Task<string> FaultAsync(Over over, string request)
    {
        await using var host = new WireHost(over, listens: false);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(502, answer.Status);
        return answer.Body;
    }
}
