using System.Buffers;
using System.Text;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

public sealed class BodyScanTests
{
    private const string Head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Fact]
    public void EndIsFoundInEverySplitAndNothingBehindIt()
    {
        const string body = "5;x=y\r\nhello\r\n0\r\nT: x\r\n\r\n";
        Split.Everywhere(body + "GET", pieces =>
        {
            RequestHead request = Heads.Request(Head);
            var scan = new BodyScan(request);
            byte[] received = Encoding.Latin1.GetBytes(Head);
            bool? found = false;
            foreach (byte[] piece in pieces.TakeWhile(_ => found is false))
            {
                received = [.. received, .. piece];
                found = scan.Read(new ReadOnlySequence<byte>(received));
            }

            Assert.True(found);
            Assert.Equal(Head.Length + body.Length, scan.Length);
        });
    }

    /// <summary>What was seen is not seen again: in however small pieces a body comes, its cost is that of its bytes.</summary>
    [Fact]
    public void BytesAlreadySeenAreNotLookedAtAgain()
    {
        RequestHead request = Heads.Request(Head);
        var scan = new BodyScan(request);
        byte[] received = Encoding.Latin1.GetBytes(Head + "5\r\nhel");
        Assert.False(scan.Read(new ReadOnlySequence<byte>(received)));
        received.AsSpan(Head.Length).Fill((byte)'!');
        byte[] more = [.. received, .. "lo\r\n0\r\n\r\n"u8];

        Assert.True(scan.Read(new ReadOnlySequence<byte>(more)));
    }

    [Fact]
    public void BrokenFramingHasNoEnd()
    {
        RequestHead request = Heads.Request(Head);
        var scan = new BodyScan(request);

        Assert.Null(scan.Read(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(Head + "zz"))));
    }
}
