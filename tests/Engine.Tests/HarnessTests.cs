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

    [Fact]
    public async Task WaitEndsWithTheFirstLookThatFindsIt()
    {
        int looks = 0;

        await Patience.UntilAsync(() => ++looks == 3);

        Assert.Equal(3, looks);
    }
}
