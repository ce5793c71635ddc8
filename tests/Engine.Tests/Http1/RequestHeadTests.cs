using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class RequestHeadTests
{
    private const string Host = "Host: h.test\r\n\r\n";

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n" + Host)]
    [InlineData("POST /mcp?a=b HTTP/1.1\r\nContent-Length: 12\r\n" + Host)]
    [InlineData("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" + Host)]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    [InlineData("OPTIONS * HTTP/1.1\r\n" + Host)]
    [InlineData("GET http://H.test:80/x HTTP/1.1\r\n" + Host)]
    [InlineData("GET /a/../%2F;b HTTP/1.1\r\nX-Obs: \u00ff\u0080\r\nX-Empty:\r\nAccept: a\r\nAccept: b\r\n" + Host)]
    [InlineData("M-SEARCH / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n")]
    public void IsAcceptedHoweverItIsCut(string wire)
    {
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(Step.Done(wire.Length), Heads.Parse(new RequestHead(), pieces));
        });
    }

    [Theory]
    [InlineData("GET  / HTTP/1.1\r\n" + Host, nameof(Violation.RequestLineInvalid))]
    [InlineData("GET /\r\n" + Host, nameof(Violation.RequestLineInvalid))]
    [InlineData("GET / x HTTP/1.1\r\n" + Host, nameof(Violation.RequestLineInvalid))]
    [InlineData("G(T / HTTP/1.1\r\n" + Host, nameof(Violation.MethodInvalid))]
    [InlineData("GET /#a HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    [InlineData("GET /\u00e9 HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    [InlineData("GET * HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    [InlineData("GET x HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    [InlineData("GET ftp://h/ HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    [InlineData("GET / http/1.1\r\n" + Host, nameof(Violation.VersionInvalid))]
    [InlineData("GET / HTTP/1.10\r\n" + Host, nameof(Violation.VersionInvalid))]
    [InlineData("GET / HTTP/2.0\r\n" + Host, nameof(Violation.VersionNotSupported))]
    [InlineData("GET / HTTP/1.2\r\n" + Host, nameof(Violation.VersionNotSupported))]
    [InlineData("CONNECT h:1 HTTP/1.1\r\n" + Host, nameof(Violation.ConnectNotSupported))]
    [InlineData("GET / HTTP/1.1\n" + Host, nameof(Violation.LineEndInvalid))]
    [InlineData("GET /\t HTTP/1.1\r\n" + Host, nameof(Violation.TargetInvalid))]
    public void RequestLineThatCouldBeReadTwoWaysIsRefused(string wire, string reason) => AssertRefused(wire, reason);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nX : y\r\n" + Host, nameof(Violation.FieldNameInvalid))]
    [InlineData("GET / HTTP/1.1\r\n: y\r\n" + Host, nameof(Violation.FieldNameInvalid))]
    [InlineData("GET / HTTP/1.1\r\nX\r\n" + Host, nameof(Violation.FieldNameInvalid))]
    [InlineData("GET / HTTP/1.1\r\n X: y\r\n" + Host, nameof(Violation.FieldFolded))]
    [InlineData("GET / HTTP/1.1\r\nX: y\r\n\tz\r\n" + Host, nameof(Violation.FieldFolded))]
    [InlineData("GET / HTTP/1.1\r\nX: a\0b\r\n" + Host, nameof(Violation.FieldValueInvalid))]
    [InlineData("GET / HTTP/1.1\r\nX: a\u007fb\r\n" + Host, nameof(Violation.FieldValueInvalid))]
    [InlineData("GET / HTTP/1.1\r\nX: a\rb\r\n" + Host, nameof(Violation.LineEndInvalid))]
    [InlineData("GET / HTTP/1.1\r\nX: a\nY: b\r\n" + Host, nameof(Violation.LineEndInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\n", nameof(Violation.LineEndInvalid))]
    [InlineData("GET / HTTP/1.1\r\nConnection: a b\r\n" + Host, nameof(Violation.ConnectionOptionsInvalid))]
    [InlineData("GET / HTTP/1.1\r\nExpect: 200-ok\r\n" + Host, nameof(Violation.ExpectationFailed))]
    public void FieldLineThatCouldBeReadTwoWaysIsRefused(string wire, string reason) => AssertRefused(wire, reason);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", nameof(Violation.HostMissing))]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", nameof(Violation.HostRepeated))]
    [InlineData("GET / HTTP/1.1\r\nHost:\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", nameof(Violation.HostInvalid))]
    [InlineData("GET http://other/ HTTP/1.1\r\n" + Host, nameof(Violation.HostContradictsTarget))]
    public void HostThatIsNotExactlyOneAuthorityIsRefused(string wire, string reason) => AssertRefused(wire, reason);

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", nameof(Violation.LengthAndTransferEncoding))]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n", nameof(Violation.LengthRepeated))]
    [InlineData("Content-Length: 5, 5\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: +5\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: -5\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: 0x5\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: 5 5\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: 1_0\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length:\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Content-Length: 9223372036854775808\r\n", nameof(Violation.LengthInvalid))]
    [InlineData("Transfer-Encoding: gzip\r\n", nameof(Violation.TransferEncodingNotSupported))]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n", nameof(Violation.TransferEncodingInvalid))]
    [InlineData("Transfer-Encoding: chunked, chunked\r\n", nameof(Violation.TransferEncodingInvalid))]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", nameof(Violation.TransferEncodingInvalid))]
    [InlineData("Transfer-Encoding: chunkedx\r\n", nameof(Violation.TransferEncodingInvalid))]
    [InlineData("Transfer-Encoding: \"chunked\"\r\n", nameof(Violation.TransferEncodingInvalid))]
    [InlineData("Transfer-Encoding:\r\n", nameof(Violation.TransferEncodingInvalid))]
    public void FramingThatCouldBeReadTwoWaysIsRefused(string lines, string reason) => AssertRefused($"POST / HTTP/1.1\r\n{lines}{Host}", reason);

    [Fact]
    public void TransferEncodingOfHttp10IsRefused() =>
        AssertRefused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", nameof(Violation.TransferEncodingInvalid));

    [Fact]
    public void LargestLengthIsTaken() =>
        Assert.Equal(long.MaxValue, Heads.Request($"POST / HTTP/1.1\r\nContent-Length: 0009223372036854775807\r\n{Host}").Framing.DeclaredLength);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n" + Host, true)]
    [InlineData("GET / HTTP/1.1\r\nConnection: x, Close\r\n" + Host, false)]
    [InlineData("GET / HTTP/1.1\r\nConnection: x\r\nConnection: close\r\n" + Host, false)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true)]
    [InlineData("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false)]
    public void KeepAliveFollowsVersionAndConnection(string wire, bool keepsAlive) => Assert.Equal(keepsAlive, Heads.Request(wire).KeepsAlive);

    [Fact]
    public void AuthorityOfTheTargetReplacesHost() =>
        Assert.Equal("H.test:80", Heads.Text(Heads.Request($"GET http://H.test:80/x HTTP/1.1\r\n{Host}").Authority));

    [Fact]
    public void ClearForgetsEverything()
    {
        RequestHead head = Heads.Request($"HEAD http://h.test/x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n{Host}");

        head.Clear();

        Assert.Equal((0, 0, false, false, FramingKind.None), (head.Length, head.Fields.Count, head.IsHead, head.ExpectsContinue, head.Framing.Kind));
        Assert.True(head.Authority.IsEmpty);
    }

    [Fact]
    public void HeadOfExactlyTheLimitIsAcceptedAndOneByteMoreIsNot()
    {
        string wire = $"GET / HTTP/1.1\r\nX: {new string('a', 40)}\r\n{Host}";
        var exact = new HeadLimits(wire.Length, 64, 16, Heads.Body);
        HeadLimits less = exact with { MaxHeadBytes = wire.Length - 1 };
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(Step.Done(wire.Length), Heads.Parse(new RequestHead(), pieces, exact));
            Assert.Equal(Step.Reject(Violation.HeadTooLarge), Heads.Parse(new RequestHead(), pieces, less));
        });
    }

    /// <summary>Found by fuzzing: the verdict depended on how much had come when it was given.</summary>
    [Fact]
    public void WhatLiesBehindTheLimitIsNotLookedAt()
    {
        string wire = $"GET / HTTP/1.1\r\nX: {new string('a', 100)}\0\r\n{Host}";
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(Step.Reject(Violation.HeadTooLarge), Heads.Parse(new RequestHead(), pieces, new HeadLimits(64, 64, 16, Heads.Body)));
        });
    }

    [Fact]
    public void LongRequestLineIsRefusedAsSuch() => AssertRefused($"GET /{new string('a', 300)} HTTP/1.1\r\n{Host}", nameof(Violation.TargetTooLong));

    [Fact]
    public void TooManyFieldsAreRefused() =>
        AssertRefused($"GET / HTTP/1.1\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", 16))}{Host}", nameof(Violation.TooManyFields));

    private static void AssertRefused(string wire, string reason)
    {
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(Step.Reject(Enum.Parse<Violation>(reason)), Heads.Parse(new RequestHead(), pieces));
        });
    }
}
