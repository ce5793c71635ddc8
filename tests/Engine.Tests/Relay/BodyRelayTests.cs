using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Relay;

namespace McpProxyFast.Engine.Tests.Relay;

public sealed class BodyRelayTests
{
    private static readonly BodyLimits Limits = new(MaxDataBytes: 64 * 1024, MaxOverheadBytes: 100);

    private const string Chunks = "5;a=b\r\nhello\r\n06\r\n world\r\n0\r\nT: x\r\n\r\n";

    [Theory]
    [InlineData(Chunks, nameof(BodyRelay.SinkForm.AsReceived), "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")]
    [InlineData("1\r\na\r\n0\r\n\r\n", nameof(BodyRelay.SinkForm.AsReceived), "1\r\na\r\n0\r\n\r\n")]
    [InlineData(Chunks, nameof(BodyRelay.SinkForm.Bare), "hello world")]
    public async Task ChunkedBodyLeavesWholeOfEverySplit(string wire, string form, string expected)
    {
        await Split.EverywhereAsync(wire, async pieces =>
        {
            (RelayEnd end, string sent, string rest) =
                await RelayAsync(BodyFraming.OfChunks(Limits), Enum.Parse<BodyRelay.SinkForm>(form), [.. pieces, "NEXT"u8.ToArray()]);

            Assert.Equal((RelayEnd.Complete, expected, "NEXT"), (end, sent, rest));
        });
    }

    /// <summary>Bounded cost per byte: what comes in one read leaves in one write, and, where it is plain already, is not even copied.</summary>
    [Fact]
    public void ThousandsOfTinyChunksLeaveAsOneRunWhereTheyLie()
    {
        byte[] chunks = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("1\r\na\r\n", 10_000)));
        var relay = new BodyRelay();
        relay.Start(BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.AsReceived);
        var sink = new Pipe();

        Assert.True(relay.Pump(new ReadOnlySequence<byte>(chunks), sink.Writer, out ReadOnlyMemory<byte> tail, out _));

        Assert.Equal((chunks.Length, 0L), (tail.Length, sink.Writer.UnflushedBytes));
    }

    [Fact]
    public async Task BodyOfALengthLeavesAndWhatFollowsStays()
    {
        await Split.EverywhereAsync("hello worldNEXT", async pieces =>
        {
            (RelayEnd end, string sent, string rest) = await RelayAsync(BodyFraming.OfLength(11), BodyRelay.SinkForm.AsReceived, pieces);

            Assert.Equal((RelayEnd.Complete, "hello world"), (end, sent));
            Assert.StartsWith(rest, "NEXT", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task BodyUntilCloseLeavesInChunksWithALastOne()
    {
        (RelayEnd end, string sent, _) = await RelayAsync(BodyFraming.UntilClose(), BodyRelay.SinkForm.Chunked, ["hello world"u8.ToArray()]);

        Assert.Equal((RelayEnd.Complete, "b\r\nhello world\r\n0\r\n\r\n"), (end, sent));
    }

    [Fact]
    public async Task BodyUntilCloseLeavesBareWithoutALastChunk()
    {
        (RelayEnd end, string sent, _) = await RelayAsync(BodyFraming.UntilClose(), BodyRelay.SinkForm.Bare, ["hello world"u8.ToArray()]);

        Assert.Equal((RelayEnd.Complete, "hello world"), (end, sent));
    }

    /// <summary>Only the caller can tell whether the source came to an orderly end: until it says so, the body must not look whole.</summary>
    [Fact]
    public async Task BodyUntilCloseHasNoLastChunkBeforeTheCallerFinishesIt()
    {
        var source = new Pipe();
        var sent = new MemoryStream();
        var relay = new BodyRelay();
        relay.Start(BodyFraming.UntilClose(), BodyRelay.SinkForm.Chunked);
        await source.Writer.WriteAsync("hello"u8.ToArray());
        await source.Writer.CompleteAsync();

        Assert.Equal(RelayEnd.SourceEnded, await relay.RunAsync(source.Reader, PipeWriter.Create(sent)).Soon());

        Assert.True(relay.LastsUntilClose);
        Assert.Equal("5\r\nhello\r\n", Heads.Text(sent.ToArray()));
    }

    [Fact]
    public async Task SinkThatTakesNoLastChunkEndsTheRelay()
    {
        var source = new Pipe();
        var sink = new Pipe();
        var relay = new BodyRelay();
        relay.Start(BodyFraming.UntilClose(), BodyRelay.SinkForm.Chunked);
        await source.Writer.CompleteAsync();
        Assert.Equal(RelayEnd.SourceEnded, await relay.RunAsync(source.Reader, sink.Writer).Soon());
        await sink.Reader.CompleteAsync();

        Assert.Equal(RelayEnd.SinkEnded, await relay.FinishUntilCloseAsync(sink.Writer).Soon());
    }

    /// <summary>The bounds come with the framing: a relay has none of its own that could be forgotten.</summary>
    [Fact]
    public async Task BodyBeyondItsLimitEndsTheRelay()
    {
        var source = new Pipe();
        await source.Writer.WriteAsync("5\r\nhello\r\n"u8.ToArray());
        var relay = new BodyRelay();
        relay.Start(BodyFraming.OfChunks(new BodyLimits(MaxDataBytes: 4, MaxOverheadBytes: 0)), BodyRelay.SinkForm.AsReceived);

        Assert.Equal(RelayEnd.Malformed, await relay.RunAsync(source.Reader, new Pipe().Writer).Soon());
        Assert.Equal(Violation.BodyTooLarge, relay.Violation);
    }

    [Theory]
    [InlineData("5\r\nhello\r\n")]
    [InlineData("5\r\nhel")]
    [InlineData("5\r\nhello\r\n0\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nT: x\r\n")]
    public async Task CutBodyNeverLeavesWithALastChunk(string wire)
    {
        await Split.EverywhereAsync(wire, async pieces =>
        {
            (RelayEnd end, string sent, _) = await RelayAsync(BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.AsReceived, pieces);

            Assert.Equal(RelayEnd.SourceEnded, end);
            Assert.DoesNotContain("0\r\n", sent, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task BrokenFramingEndsTheRelayWithItsReason()
    {
        var source = new Pipe();
        await source.Writer.WriteAsync("5\r\nhelloX"u8.ToArray());
        var relay = new BodyRelay();
        relay.Start(BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.AsReceived);

        Assert.Equal(RelayEnd.Malformed, await relay.RunAsync(source.Reader, new Pipe().Writer).Soon());
        Assert.Equal(Violation.ChunkEndInvalid, relay.Violation);
    }

    [Fact]
    public async Task SinkThatTakesNoMoreEndsTheRelay()
    {
        var source = new Pipe();
        var sink = new Pipe();
        await sink.Reader.CompleteAsync();
        await source.Writer.WriteAsync("hello"u8.ToArray());
        var relay = new BodyRelay();
        relay.Start(BodyFraming.OfLength(9), BodyRelay.SinkForm.AsReceived);

        Assert.Equal(RelayEnd.SinkEnded, await relay.RunAsync(source.Reader, sink.Writer).Soon());
    }

    [Fact]
    public async Task WaitThatIsCanceledEndsTheRelay()
    {
        var source = new Pipe();
        var relay = new BodyRelay();
        relay.Start(BodyFraming.OfLength(9), BodyRelay.SinkForm.AsReceived);
        ValueTask<RelayEnd> running = relay.RunAsync(source.Reader, new Pipe().Writer);
        Assert.Equal(RelayPhase.Reading, relay.Phase);

        source.Reader.CancelPendingRead();

        Assert.Equal(RelayEnd.Canceled, await running.Soon());
        Assert.Equal(RelayPhase.Resting, relay.Phase);
    }

    [Fact]
    public async Task LongRunsLeaveUnchanged()
    {
        string data = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + (i % 26))));
        (RelayEnd end, string sent, _) = await RelayAsync(
            BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.AsReceived, Split.Everywhere($"4e20\r\n{data}\r\n0\r\n\r\n").First().Pieces);

        Assert.Equal((RelayEnd.Complete, $"4e20\r\n{data}\r\n0\r\n\r\n"), (end, sent));
    }

    private static async Task<(RelayEnd End, string Sent, string Left)> RelayAsync(BodyFraming framing, BodyRelay.SinkForm form, byte[][] pieces)
    {
        var source = new Pipe();
        var sent = new MemoryStream();
        PipeWriter sink = PipeWriter.Create(sent);
        var relay = new BodyRelay();
        relay.Start(framing, form);
        ValueTask<RelayEnd> running = relay.RunAsync(source.Reader, sink);
        foreach (byte[] piece in pieces)
        {
            await source.Writer.WriteAsync(piece);
        }

        await source.Writer.CompleteAsync();
        RelayEnd end = await running.Soon();
        if (end is RelayEnd.SourceEnded && relay.LastsUntilClose)
        {
            end = await relay.FinishUntilCloseAsync(sink).Soon();
        }

        ReadResult rest = await source.Reader.ReadAsync();
        return (end, Heads.Text(sent.ToArray()), Heads.Text(System.Buffers.BuffersExtensions.ToArray(rest.Buffer)));
    }
}
