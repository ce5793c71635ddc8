using System.Net;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Engine.Tests.Rewriting;

public sealed class RequestRewriterTests
{
    private static readonly Uri Upstream = new("http://up.test:9/");

    /// <summary>Every pattern of kept and dropped lines, so that every run of copied bytes starts and ends somewhere.</summary>
    [Fact]
    public void EveryPatternOfKeptLinesLeavesInOrder()
    {
        const int lines = 6;
        for (int pattern = 0; pattern < 1 << lines; pattern++)
        {
            string[] all = [.. Enumerable.Range(0, lines).Select(i => (pattern & (1 << i)) != 0 ? $"X-{i}:  {i} \r\n" : $"Proxy-{i}: {i}\r\n")];
            string kept = string.Concat(all.Where(line => line.StartsWith('X')));

            Assert.Equal($"GET / HTTP/1.1\r\nHost: up.test:9\r\n{kept}\r\n", Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(all)}\r\n", ForwardedRule.Off));
        }
    }

    [Fact]
    public void FieldsOfThisHopDoNotLeave()
    {
        const string received = "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-A, close\r\nX-A: 1\r\nKeep-Alive: 5\r\nTE: x\r\nTrailer: y\r\nUpgrade: z\r\n"
            + "HTTP2-Settings: a\r\nProxy-Authorization: b\r\nContent_Length: 9\r\nX-B: 2\r\n\r\n";

        Assert.Equal("GET / HTTP/1.1\r\nHost: up.test:9\r\nX-B: 2\r\n\r\n", Rewrite(received, ForwardedRule.Off));
    }

    [Fact]
    public void FramingCannotBeUndoneByConnection()
    {
        const string received = "POST / HTTP/1.1\r\nHost: h\r\nConnection: content-length, host\r\nContent-Length: 0042\r\n\r\n";

        Assert.Equal("POST / HTTP/1.1\r\nHost: up.test:9\r\nContent-Length: 42\r\n\r\n", Rewrite(received, ForwardedRule.Off));
    }

    [Fact]
    public void ClientIsToldOfAfresh()
    {
        const string received = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=evil\r\n\r\n";

        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n\r\n",
            Rewrite(received, ForwardedRule.Set));
    }

    /// <summary>What a server takes the client's address from is not the client's to say, in any spelling that some server folds into it.</summary>
    [Theory]
    [InlineData("X-Real-IP: 6.6.6.6")]
    [InlineData("X-Client-IP: 6.6.6.6")]
    [InlineData("True-Client-IP: 6.6.6.6")]
    [InlineData("X_Real_IP: 6.6.6.6")]
    [InlineData("X_Forwarded_For: 6.6.6.6")]
    [InlineData("X_Forwarded-For: 6.6.6.6")]
    [InlineData("X_Forwarded_Something_Longer_Than_Known: x")]
    [InlineData("X-Forwarded-Something-Longer-Than-Known: x")]
    [InlineData("Proxy: http://evil.test")]
    public void ClientCannotSayWhoItIs(string line) => Assert.Equal(
        "GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n\r\n",
        Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n", ForwardedRule.Set));

    [Fact]
    public void MarkOfTheProxyComesBesideThoseOfOthers()
    {
        RequestHead head = Heads.Request("GET / HTTP/1.1\r\nHost: h\r\nMcpProxyFast-Hop: 0123456789abcdef\r\n\r\n");
        var mark = new HopMark();
        var rewriter = new RequestRewriter(Upstream, ForwardedRule.Off, mark);

        string sent = Capture.Of(output => rewriter.Write(head, default, output));

        Assert.Equal($"GET / HTTP/1.1\r\nHost: up.test:9\r\n{mark.Line}McpProxyFast-Hop: 0123456789abcdef\r\n\r\n", sent);
        Assert.False(mark.IsOn(head));
        Assert.True(mark.IsOn(Heads.Request(sent)));
        Assert.False(new HopMark().IsOn(Heads.Request(sent)));
    }

    [Fact]
    public void ClientIsAppendedToWhatCame()
    {
        const string received = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Host: o\r\n\r\n";

        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Forwarded-Host: o\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n\r\n",
            Rewrite(received, ForwardedRule.Append));
    }

    /// <summary>Nothing that the proxy says of the client can be undone by naming it in <c>Connection</c>.</summary>
    [Fact]
    public void WhatIsNamedInConnectionIsSetAfreshWhereItWouldBeAppended()
    {
        const string received = "GET / HTTP/1.1\r\nHost: h\r\nConnection: x-forwarded-for, x-forwarded-host, x-forwarded-proto\r\n"
            + "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Host: o\r\nX-Forwarded-Proto: https\r\n\r\n";

        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n\r\n",
            Rewrite(received, ForwardedRule.Append));
    }

    [Theory]
    [InlineData("OPTIONS", "3", "Max-Forwards: 2\r\n")]
    [InlineData("TRACE", "1", "Max-Forwards: 0\r\n")]
    [InlineData("OPTIONS", "007", "Max-Forwards: 6\r\n")]
    [InlineData("GET", "3", "Max-Forwards: 3\r\n")]
    public void MaxForwardsIsOneLessWhereItCounts(string method, string received, string sent) => Assert.Equal(
        $"{method} / HTTP/1.1\r\nHost: up.test:9\r\n{sent}\r\n",
        Rewrite($"{method} / HTTP/1.1\r\nHost: h\r\nMax-Forwards: {received}\r\n\r\n", ForwardedRule.Off));

    [Fact]
    public void CredentialReplacesTheClientsOwn()
    {
        RequestHead head = Heads.Request("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer client\r\nDPoP: p\r\n\r\n");
        var rewriter = new RequestRewriter(Upstream, ForwardedRule.Off);

        string sent = Capture.Of(output => rewriter.Write(head, new RequestEdits { CredentialLines = "Authorization: Bearer ours\r\n"u8 }, output));

        Assert.Equal("GET / HTTP/1.1\r\nHost: up.test:9\r\nAuthorization: Bearer ours\r\n\r\n", sent);
    }

    private static string Rewrite(string received, ForwardedRule rule)
    {
        RequestHead head = Heads.Request(received);
        var rewriter = new RequestRewriter(Upstream, rule);
        return Capture.Of(output => rewriter.Write(head, new RequestEdits { ClientAddress = IPAddress.Loopback }, output));
    }
}
