using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Engine.Tests.Rewriting;

public sealed class ResponseRewriterTests
{
    [Fact]
    public void HopByHopFieldsDoNotLeaveAndFramingIsWrittenAnew() => Assert.Equal(
        "HTTP/1.1 200 Fine\r\nX-B: 2\r\nContent-Length: 7\r\n\r\n",
        Rewrite("HTTP/1.0 200 Fine\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\nContent-Length: 007\r\nX-B: 2\r\nKeep-Alive: 5\r\n\r\n", FramingKind.Length));

    [Fact]
    public void BodyUntilCloseLeavesInChunks() =>
        Assert.Equal("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Rewrite("HTTP/1.0 200 OK\r\n\r\n", FramingKind.Chunked));

    [Fact]
    public void MissingReasonLeavesWithItsSpace() =>
        Assert.Equal("HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n", Rewrite("HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", FramingKind.Length));

    [Theory]
    [InlineData("http://up.test/x?y#z", "http://me.test:1/x?y#z")]
    [InlineData("HTTP://UP.TEST?y", "http://me.test:1?y")]
    [InlineData("http://up.test.evil/x", "http://up.test.evil/x")]
    [InlineData("https://up.test/x", "https://up.test/x")]
    [InlineData("/x", "/x")]
    public void LocationOnTheUpstreamsOriginLeadsBackToTheProxy(string received, string sent)
    {
        string written = Rewrite($"HTTP/1.1 302 Found\r\nLocation: {received}\r\nContent-Length: 0\r\n\r\n", FramingKind.Length);

        Assert.Contains($"Location: {sent}\r\n", written, StringComparison.Ordinal);
    }

    /// <summary>A server behind a TLS terminator takes itself for an http server; its clients must not be sent around the proxy.</summary>
    [Theory]
    [InlineData("http://up.test/x?y#z", "http://me.test:1/x?y#z")]
    [InlineData("http://up.test:80/x", "http://me.test:1/x")]
    [InlineData("https://up.test:443/x", "http://me.test:1/x")]
    [InlineData("http://up.test.evil/x", "http://up.test.evil/x")]
    [InlineData("http://up.test:8080/x", "http://up.test:8080/x")]
    public void LocationWithTheLowerSchemeLeadsBackToTheProxyToo(string received, string sent)
    {
        string written = Rewrite($"HTTP/1.1 302 Found\r\nLocation: {received}\r\nContent-Length: 0\r\n\r\n", FramingKind.Length, "https://up.test/");

        Assert.Contains($"Location: {sent}\r\n", written, StringComparison.Ordinal);
    }

    private static string Rewrite(string received, FramingKind framing, string target = "http://up.test/")
    {
        ResponseHead head = Heads.Response(received);
        var rewriter = new ResponseRewriter(new Uri(target), hidesChallenges: false, setsCors: false);
        return Capture.Of(output => rewriter.Write(
            head, new ResponseEdits { Framing = framing, KeepsAlive = true, OwnAuthority = "me.test:1"u8 }, output));
    }
}
