using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class ChunkedFramingTests
{
    private const int MaxDataBytes = 64;
    private const int MaxOverheadBytes = 8;

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n", "hello")]
    [InlineData("5;a=b\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n", "hello")]
    [InlineData("5; a=\"\\\"\"\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n", "hello")]
    [InlineData("5\r\nhello\r\n0\r\nD: x\r\n\r\n", "5\r\nhello\r\n", "hello")]
    [InlineData("005\r\nhello\r\n000\r\n\r\n", "5\r\nhello\r\n", "hello")]
    [InlineData("a\r\n0123456789\r\nB\r\n0123456789a\r\n0;x\r\n\r\n", "a\r\n0123456789\r\nB\r\n0123456789a\r\n", "01234567890123456789a")]
    [InlineData("2\r\n\r\n\r\n0\r\n\r\n", "2\r\n\r\n\r\n", "\r\n")]
    [InlineData("0\r\n\r\n", "", "")]
    public void PassesOnThePlainFormOfEverySplit(string wire, string plain, string data)
    {
        Split.Everywhere(wire + "GET", pieces =>
        {
            Assert.Equal(("Complete", plain, wire.Length), Feed(pieces, dataOnly: false));
            Assert.Equal(("Complete", data, wire.Length), Feed(pieces, dataOnly: true));
        });
    }

    [Theory]
    [InlineData("0x5\r\nhello\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("5\nhello\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("5 \r\nhello\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("+5\r\nhello\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("-1\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData(";a\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("5\rhello\r\n", nameof(Violation.ChunkSizeInvalid))]
    [InlineData("00000000000000005\r\n", nameof(Violation.ChunkSizeTooLarge))]
    [InlineData("8000000000000000\r\n", nameof(Violation.ChunkSizeTooLarge))]
    [InlineData("7fffffffffffffff\r\n", nameof(Violation.BodyTooLarge))]
    [InlineData("41\r\n", nameof(Violation.BodyTooLarge))]
    [InlineData("5\r\nhelloX\r\n", nameof(Violation.ChunkEndInvalid))]
    [InlineData("5\r\nhello\rX", nameof(Violation.ChunkEndInvalid))]
    [InlineData("5\r\nhello\n0\r\n\r\n", nameof(Violation.ChunkEndInvalid))]
    [InlineData("5;\r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("5;a=\r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("5;a=\"\r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("0;a \r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("5;a\nb\r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("5;a\0\r\n", nameof(Violation.ChunkExtensionInvalid))]
    [InlineData("5;12345678\r\n", nameof(Violation.ChunkOverheadTooLarge))]
    [InlineData("1;1234\r\nx\r\n1;1234\r\nx\r\n", nameof(Violation.ChunkOverheadTooLarge))]
    [InlineData("0\r\nA: 123456\r\n", nameof(Violation.ChunkOverheadTooLarge))]
    [InlineData("0\r\nA b\r\n", nameof(Violation.TrailerInvalid))]
    [InlineData("0\r\n A: b\r\n", nameof(Violation.TrailerInvalid))]
    [InlineData("0\r\nA: b\n\r\n", nameof(Violation.TrailerInvalid))]
    [InlineData("0\r\nA: b\r\n\rX", nameof(Violation.TrailerInvalid))]
    [InlineData("0\r\n\n", nameof(Violation.TrailerInvalid))]
    [InlineData("0\r\nlongname d\r\n", nameof(Violation.ChunkOverheadTooLarge))]
    public void RefusesWhatCouldBeReadTwoWays(string wire, string reason)
    {
        Split.Everywhere(wire, pieces =>
        {
            Assert.Equal(reason, Feed(pieces, dataOnly: false).End);
            Assert.Equal(reason, Feed(pieces, dataOnly: true).End);
        });
    }

    [Fact]
    public void BodyOfExactlyTheLimitIsTaken()
    {
        string data = new('d', MaxDataBytes);

        Assert.Equal("Complete", Feed(Split.Everywhere($"40\r\n{data}\r\n0\r\n\r\n").First().Pieces, dataOnly: true).End);
    }

    [Fact]
    public void CutBodyIsNeverComplete()
    {
        const string wire = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
        for (int length = 1; length < wire.Length; length++)
        {
            Assert.Equal("Open", Feed(Split.Everywhere(wire[..length]).First().Pieces, dataOnly: false).End);
        }
    }

    private static (string End, string Taken, int Read) Feed(byte[][] pieces, bool dataOnly)
    {
        var framing = new ChunkedFraming(new BodyLimits(MaxDataBytes, MaxOverheadBytes));
        framing = dataOnly ? framing.AsDataOnly() : framing;
        string taken = "";
        int total = 0;
        foreach (byte[] piece in pieces)
        {
            for (int read = 0; read < piece.Length && !framing.IsComplete;)
            {
                Step step = framing.Next(piece.AsSpan(read));
                if (step.Kind is StepKind.Reject)
                {
                    return (step.Violation.ToString(), taken, total);
                }

                taken += step.Kind is StepKind.Take ? Heads.Text(piece.AsSpan(read, step.Length)) : "";
                read += step.Length;
                total += step.Length;
            }
        }

        return (framing.IsComplete ? "Complete" : "Open", taken, total);
    }
}
