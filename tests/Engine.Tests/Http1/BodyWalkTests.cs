using System.Buffers;
using System.Text;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class BodyWalkTests
{
    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n")]
    [InlineData("5;x\r\nhello\r\n1\r\na\r\n0\r\n\r\n", "5|\r\nhello\r\n1\r\na\r\n")]
    [InlineData("005\r\nhello\r\n01\r\na\r\n0\r\nT: x\r\n\r\n", "5\r\nhello\r\n|1\r\na\r\n")]
    [InlineData("0\r\n\r\n", "")]
    public void RunsAreAsLongAsTheyCanBe(string wire, string runs)
    {
        BodyFraming framing = BodyFraming.OfChunks(Heads.Body);
        byte[] input = Encoding.Latin1.GetBytes(wire + "NEXT");
        var walk = new BodyWalk(ref framing, input);
        var found = new List<string>();
        while (walk.MoveNext())
        {
            found.Add(Heads.Text(input.AsSpan(walk.RunStart, walk.RunLength)));
        }

        Assert.Equal(runs, string.Join('|', found));
        Assert.Equal((wire.Length, Violation.None, true), (walk.Length, walk.Violation, framing.IsComplete));
        Assert.False(walk.MoveNext());
    }

    [Fact]
    public void RunsHoldTheSameBytesHoweverTheInputIsCut()
    {
        const string wire = "005;x=y\r\nhello\r\n1\r\na\r\n0;z\r\nT: x\r\n\r\n";
        Split.Everywhere(wire + "NEXT", pieces =>
        {
            BodyFraming framing = BodyFraming.OfChunks(Heads.Body);
            string taken = "";
            int length = 0;
            foreach (byte[] piece in pieces)
            {
                var walk = new BodyWalk(ref framing, piece);
                while (walk.MoveNext())
                {
                    taken += Heads.Text(piece.AsSpan(walk.RunStart, walk.RunLength));
                }

                length += walk.Length;
            }

            Assert.Equal(("5\r\nhello\r\n1\r\na\r\n", wire.Length, true), (taken, length, framing.IsComplete));
        });
    }

    [Fact]
    public void BrokenRuleEndsTheWalkWhereItStands()
    {
        BodyFraming framing = BodyFraming.OfChunks(Heads.Body);
        var walk = new BodyWalk(ref framing, "5\r\nhelloX"u8);

        Assert.False(walk.MoveNext());
        Assert.Equal((Violation.ChunkEndInvalid, "5\r\nhello".Length), (walk.Violation, walk.Length));
    }

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", nameof(Violation.None), 15)]
    [InlineData("5\r\nhel", nameof(Violation.None), 6)]
    [InlineData("5\r\nhello\r\nzz", nameof(Violation.ChunkSizeInvalid), 10)]
    public void EndIsFoundOverAnySegments(string wire, string violation, int length)
    {
        Split.Everywhere(wire, pieces =>
        {
            BodyFraming framing = BodyFraming.OfChunks(Heads.Body);

            Assert.Equal(violation, BodyWalk.ToEnd(ref framing, Pieces.Join(pieces), out long found).ToString());
            Assert.Equal(length, found);
        });
    }

    [Fact]
    public void BytesBehindTheEndAreNotTheBodys()
    {
        BodyFraming framing = BodyFraming.OfLength(5);

        Assert.Equal(Violation.None, BodyWalk.ToEnd(ref framing, Pieces.Join(["hel"u8.ToArray(), "loNEXT"u8.ToArray(), "MORE"u8.ToArray()]), out long length));
        Assert.Equal((5, true), (length, framing.IsComplete));
    }

    [Fact]
    public void MessageWithoutABodyHasNoBytes()
    {
        BodyFraming framing = default;

        Assert.Equal(Violation.None, BodyWalk.ToEnd(ref framing, new ReadOnlySequence<byte>("NEXT"u8.ToArray()), out long length));
        Assert.Equal(0, length);
    }
}
