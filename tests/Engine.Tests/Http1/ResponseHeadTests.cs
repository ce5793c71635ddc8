using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class ResponseHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, nameof(FramingKind.Length), true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, nameof(FramingKind.Chunked), true)]
    [InlineData("HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", 202, nameof(FramingKind.Length), true)]
    [InlineData("HTTP/1.1 200 \r\n\r\n", 200, nameof(FramingKind.UntilClose), false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", 200, nameof(FramingKind.Length), false)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", 200, nameof(FramingKind.Length), false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, nameof(FramingKind.None), true)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, nameof(FramingKind.None), false)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, nameof(FramingKind.None), true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", 100, nameof(FramingKind.None), true)]
    public void FramingAndKeepAliveFollowFromTheHead(string wire, int status, string framing, bool keepsAlive)
    {
        Split.Everywhere(wire, pieces =>
        {
            var head = new ResponseHead();

            Assert.Equal(Step.Done(wire.Length), Heads.Parse(head, pieces));
            Assert.Equal((status, framing, keepsAlive), (head.Status, head.Framing.Kind.ToString(), head.KeepsAlive));
        });
    }

    [Fact]
    public void StatusLineThatIsTooLongIsRejectedAsOne() => Split.Everywhere($"HTTP/1.1 200 {new string('a', 300)}\r\n\r\n", pieces =>
    {
        Assert.Equal(Step.Reject(Violation.StatusLineInvalid), Heads.Parse(new ResponseHead(), pieces));
    });

    [Fact]
    public void AnswerToAHeadHasNoBody()
    {
        ResponseHead head = Heads.Response("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", answersHead: true);

        Assert.Equal((FramingKind.None, 99L, true), (head.Framing.Kind, head.InformativeLength, head.KeepsAlive));
    }

    [Theory]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1 600 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("http/1.1 200 OK\r\n\r\n", nameof(Violation.StatusLineInvalid))]
    [InlineData("HTTP/1.1 200 OK\n\r\n", nameof(Violation.LineEndInvalid))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", nameof(Violation.LengthRepeated))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", nameof(Violation.LengthAndTransferEncoding))]
    [InlineData("HTTP/1.1 103 E\r\nContent-Length: 1\r\n\r\n", nameof(Violation.InterimWithBody))]
    [InlineData("HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n", nameof(Violation.InterimWithBody))]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", nameof(Violation.FieldFolded))]
    public void WhatCouldBeReadTwoWaysIsRejected(string wire, string reason)
    {
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(Step.Reject(Enum.Parse<Violation>(reason)), Heads.Parse(new ResponseHead(), pieces));
        });
    }
}
