using System.Text;

namespace McpProxyFast.Engine.Tests;

/// <summary>What the harness promises to the tests that use it.</summary>
public sealed class HarnessTests
{
    [Fact]
    public void FailingSplitSaysItsName()
    {
        SplitFailedException failure = Assert.Throws<SplitFailedException>(() => Split.Everywhere("ab\r\n", pieces => Assert.NotEqual(3, pieces[0].Length)));

        Assert.StartsWith("With the input cut after byte 3 of 4: ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("Input: ab\\r\\n", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailingSplitOfACheckThatWaitsSaysItsName()
    {
        SplitFailedException failure = await Assert.ThrowsAsync<SplitFailedException>(() => Split.EverywhereAsync("abc", async pieces =>
        {
            await Task.Yield();
            Assert.NotEqual(3, pieces.Length);
        }));

        Assert.StartsWith("With the input one byte at a time: ", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello")]
    public void MessageIsWholeForTheStrictReaderAtItsLastByteAndNotBefore(string rest, string body)
    {
        string response = $"HTTP/1.1 200 OK\r\n{rest}";
        for (int length = 0; length < response.Length; length++)
        {
            StrictMessage? cut = StrictReader.TakeResponse(response[..length], toHead: false, ended: true, out int cutTaken);
            Assert.True(cut is null ? cutTaken == 0 : !cut.IsWhole && cutTaken == length && body.StartsWith(cut.Body, StringComparison.Ordinal), $"cut after byte {length}");
        }

        StrictMessage? whole = StrictReader.TakeResponse(response + "HTTP", toHead: false, ended: false, out int taken);
        Assert.Equal((true, body, response.Length), (whole!.IsWhole, whole.Body, taken));
    }

    [Theory]
    [InlineData("05\r\nhello\r\n")]
    [InlineData("5;x\r\nhello\r\n")]
    [InlineData("5\r\nhellooo")]
    [InlineData("0\r\nA: b\r\n\r\n")]
    [InlineData("5x")]
    public void ChunksInAnotherFormThanThePlainOneAreRefusedEvenWhereTheyAreCut(string chunks) => Assert.Throws<InvalidDataException>(() =>
        StrictReader.TakeResponse($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}", toHead: false, ended: true, out _));

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n05;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n")]
    public async Task LenientReaderTakesAMessageAndNoByteBehindIt(string message)
    {
        var reader = new LenientReader(new MemoryStream(Encoding.Latin1.GetBytes(message + "GET / HTTP/1.1\r\n")));

        LenientHead head = (await reader.ReadHeadAsync())!;
        byte[] body = await reader.ReadBodyAsync(head);

        Assert.Equal(("POST / HTTP/1.1", "hello", (long)message.Length), (head.StartLine, Encoding.Latin1.GetString(body), reader.Taken));
    }

    [Theory]
    [InlineData("x\r\n", typeof(InvalidDataException))]
    [InlineData("-5\r\nhello\r\n", typeof(InvalidDataException))]
    [InlineData("5\r\nhellooo\r\n", typeof(InvalidDataException))]
    [InlineData("0\r\nno trailer\r\n\r\n", typeof(InvalidDataException))]
    [InlineData("5\r\nhel", typeof(EndOfStreamException))]
    [InlineData("0\r\n", typeof(EndOfStreamException))]
    public async Task ChunksThatMakeNoSenseOrAreCutAreNoBodyForTheLenientReaderEither(string chunks, Type exception) =>
        await Assert.ThrowsAsync(exception, new LenientReader(new MemoryStream(Encoding.Latin1.GetBytes(chunks))).ReadChunksAsync);

    [Fact]
    public void BytesInPiecesAreTheSameBytes() => Pieces.Everywhere("{\"é\":1}", pieces => Assert.Equal("{\"é\":1}", pieces.Text()));

    [Fact]
    public async Task WaitEndsWithTheFirstLookThatFindsIt()
    {
        int looks = 0;

        await Patience.UntilAsync(() => ++looks == 3);

        Assert.Equal(3, looks);
    }
}
