using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class BodyFramingTests
{
    private static readonly HeadLimits Tight = Heads.Limits with { Body = new BodyLimits(MaxDataBytes: 4, MaxOverheadBytes: 3) };

    [Theory]
    [InlineData("5\r\n", nameof(Violation.BodyTooLarge))]
    [InlineData("1;abc\r\n", nameof(Violation.ChunkOverheadTooLarge))]
    public void FramingOfAHeadHasItsLimitsFromTheStart(string body, string violation)
    {
        foreach (MessageHead head in new MessageHead[] { new RequestHead(), new ResponseHead() })
        {
            string start = head is RequestHead ? "POST / HTTP/1.1\r\nHost: h\r\n" : "HTTP/1.1 200 OK\r\n";
            byte[] wire = System.Text.Encoding.Latin1.GetBytes(start + "Transfer-Encoding: chunked\r\n\r\n");
            Assert.Equal(StepKind.Done, Heads.Parse(head, [wire], Tight).Kind);
            BodyFraming plain = head.Framing;
            BodyFraming data = head.Framing.AsDataOnly();

            Assert.Equal(violation, ViolationOf(plain, body));
            Assert.Equal(violation, ViolationOf(data, body));
        }
    }

    /// <summary>A framing that nobody has given limits takes nothing: forgetting them can only refuse.</summary>
    [Fact]
    public void LimitsThatWereForgottenTakeNothing() => Assert.Equal(nameof(Violation.BodyTooLarge), ViolationOf(BodyFraming.OfChunks(default), "1\r\n"));

    [Fact]
    public void DataOnlyKeepsEveryOtherFraming()
    {
        BodyFraming length = BodyFraming.OfLength(7).AsDataOnly();
        BodyFraming close = BodyFraming.UntilClose().AsDataOnly();

        Assert.Equal((FramingKind.Length, 7L, FramingKind.UntilClose), (length.Kind, length.DeclaredLength, close.Kind));
    }

    private static string ViolationOf(BodyFraming framing, string body)
    {
        var walk = new BodyWalk(ref framing, System.Text.Encoding.Latin1.GetBytes(body));
        while (walk.MoveNext())
        {
            // To the end.
        }

        return walk.Violation.ToString();
    }
}
