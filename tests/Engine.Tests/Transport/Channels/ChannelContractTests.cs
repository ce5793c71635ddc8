using System.Buffers;
using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using static McpProxyFast.Engine.Tests.Transport.Channels.ChannelBytes;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What every channel promises, whatever carries its bytes. At the end of each test everything has been given back.</summary>
/// <remarks>Alone: it takes much memory and every thread, and other tests measure what is allocated.</remarks>
[Collection(nameof(ChannelContractTests))]
[CollectionDefinition(nameof(ChannelContractTests), DisableParallelization = true)]
public sealed class ChannelContractTests
{
    [Theory, EveryKind]
    public async Task BytesAreReceivedAndTheEndIsOrderly(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        await pair.SendAsync("hello"u8.ToArray());
        pair.Finish();

        (byte[] received, bool isWhole) = await ReadToEndAsync(pair.Connection.Input);

        Assert.Equal("hello"u8, received);
        Assert.True(isWhole);
        Assert.True(pair.Connection.Input.PeerEnded);
    }

    [Theory, EveryKind]
    public async Task MuchIsReceivedByteForByteWhateverIsConsumed(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(2 * 1024 * 1024);
        Task sending = Task.Run(async () =>
        {
            await pair.SendAsync(sent);
            pair.Finish();
        });

        var received = new MemoryStream();
        var random = new Random(1);
        ReadResult read;
        do
        {
            read = await pair.Connection.Input.ReadAsync().Soon();
            long consumed = read.IsCompleted ? read.Buffer.Length : random.NextInt64(read.Buffer.Length + 1);
            Assert.True(read.Buffer.IsSingleSegment);
            received.Write(read.Buffer.Slice(0, consumed).ToArray());
            pair.Connection.Input.AdvanceTo(read.Buffer.GetPosition(consumed), read.Buffer.End);
        }
        while (!read.IsCompleted);

        await sending.Soon();
        Assert.True(received.ToArray().AsSpan().SequenceEqual(sent));
    }

    [Theory, EveryKind]
    public async Task MuchIsSentByteForByteToASlowPeer(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(Much);
        pair.Connection.Output.Write("head:"u8);
        Task<FlushResult> flushing = pair.Connection.Output.WriteAsync(sent).AsTask();
        Assert.False(flushing.IsCompleted); // held back

        byte[] received = new byte[Much + 5];
        await pair.Peer.ReadExactlyAsync(received).AsTask().Soon();

        Assert.False((await flushing.Soon()).IsCompleted);
        Assert.True(received.AsSpan(5).SequenceEqual(sent));
        Assert.Equal(Much + 5, pair.Connection.Output.SentBytes);
    }

    /// <summary>Relayed in both directions at once, one read and one write out at a time each.</summary>
    [Theory, EveryKind]
    public async Task BothDirectionsRunAtOnce(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(2 * 1024 * 1024);
        Task echoing = EchoAsync(pair.Connection);
        Task sending = Task.Run(async () =>
        {
            await pair.SendAsync(sent);
            pair.Finish();
        });

        byte[] received = new byte[sent.Length];
        await pair.Peer.ReadExactlyAsync(received).AsTask().Soon();

        await Task.WhenAll(sending, echoing).Soon();
        Assert.True(received.AsSpan().SequenceEqual(sent));
    }

    [Theory, EveryKind]
    public async Task ResetIsAnEndByFault(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();

        pair.Reset();

        Assert.True((await reading.Soon()).IsCompleted);
        Assert.True(pair.Connection.Input.EndedByFault);
    }

    /// <summary>A system tells of a reset once: whoever is told first must not leave the others with what looks like an orderly end.</summary>
    [Theory, EveryKind]
    public async Task ResetThatAWriteWasToldOfIsAnEndByFaultForTheReader(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(48 * 1024); // more than a channel takes by itself, so that it has not yet met the end
        await pair.SendAsync(sent);
        pair.Reset();
        await Patience.UntilAsync(() => pair.Connection.Output.WriteAsync("x"u8.ToArray()).Soon().GetAwaiter().GetResult().IsCompleted);

        (byte[] received, bool isWhole) = await ReadToEndAsync(pair.Connection.Input);

        Assert.True(sent.AsSpan().StartsWith(received));
        Assert.False(isWhole);
    }

    /// <summary>A peer that has sent all it had may reset what still comes: as an upstream that answers before it has read the request.</summary>
    [Theory]
    [InlineData(Kind.Epoll)]
    [InlineData(Kind.Socket)]
    public async Task ResetBehindAnOrderlyEndTakesNothingFromIt(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(48 * 1024); // more than a channel takes by itself, so that it has not yet met the end
        await pair.SendAsync(sent);
        pair.Finish();
        pair.Reset();
        await Patience.UntilAsync(() => pair.Connection.Output.WriteAsync("x"u8.ToArray()).Soon().GetAwaiter().GetResult().IsCompleted);

        (byte[] received, bool isWhole) = await ReadToEndAsync(pair.Connection.Input);

        Assert.True(received.AsSpan().SequenceEqual(sent));
        Assert.True(isWhole);
    }

    [Theory, EveryKind]
    public async Task HalfClosedConnectionStillReads(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        await pair.Connection.Output.WriteAsync("last"u8.ToArray());

        pair.Connection.ShutdownOutput();

        if (kind is not Kind.StreamPipe) // a pipe writer that closes its stream takes the reader's with it
        {
            Assert.Equal("last", Heads.Text((await pair.PeerReadsToEndAsync()).Bytes));
            await pair.SendAsync("late"u8.ToArray());
            Assert.Equal("late", Text(await pair.Connection.Input.ReadAsync().Soon()));
        }
    }

    [Theory, EveryKind]
    public async Task OrderlyCloseIsSeenByThePeerBehindAllBytes(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        await pair.Connection.Output.WriteAsync("whole"u8.ToArray());

        await pair.CloseAsync();

        (byte[] bytes, bool isOrderly) = await pair.PeerReadsToEndAsync();
        Assert.Equal("whole"u8, bytes);
        Assert.True(isOrderly);
    }

    [Theory, EveryKind]
    public async Task ResetIsSeenByThePeer(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);

        await pair.CloseAsync(reset: true);

        bool isOrderly = (await pair.PeerReadsToEndAsync()).IsOrderly;
        Assert.True(!isOrderly || kind is Kind.StreamPipe); // there the host's stream decides
    }

    [Theory, EveryKind]
    public async Task WriteToAPeerThatIsGoneCompletesTheWriter(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Reset();
        Assert.True((await pair.Connection.Input.ReadAsync().Soon()).IsCompleted);

        Assert.True((await pair.Connection.Output.WriteAsync("x"u8.ToArray()).Soon()).IsCompleted);
    }

    [Theory, EveryKind]
    public async Task ClosedConnectionIsClosedAgainAndUsedAgainWithoutHarm(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        await pair.CloseAsync();

        pair.Connection.Close(reset: true);
        pair.Connection.Abort();
        pair.Connection.ShutdownOutput();
        pair.Connection.Input.CancelPendingRead();
        pair.Connection.Output.CancelPendingFlush();
        pair.Connection.Input.Unwatch();

        Assert.True((await pair.Connection.Input.ReadAsync().Soon()).IsCompleted);
        Assert.True((await pair.Connection.Output.WriteAsync("x"u8.ToArray()).Soon()).IsCompleted);
        Assert.Equal(Arrival.End, pair.Connection.Input.Look(asksSystem: true));
        Assert.Equal(0, pair.Connection.HeldBuffers);
    }

    /// <summary>Of all that may end a connection each comes at the same moment as each other, on threads of their own.</summary>
    [Theory, EveryKind]
    public async Task EndsOfEverySideAtOnceLeaveNothingBehind(Kind kind)
    {
        for (int round = 0; round < 60; round++)
        {
            await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
            ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();
            Task<FlushResult> flushing = pair.Connection.Output.WriteAsync(new byte[256 * 1024]).AsTask();
            using var start = new Barrier(4);
            Task ending = Task.WhenAll(
                Task.Run(() => At(start, pair.Connection.Abort)),
                Task.Run(() => At(start, pair.Reset)),
                Task.Run(() => At(start, pair.Connection.Output.CancelPendingFlush)),
                Task.Run(() => At(start, pair.Connection.Input.CancelPendingRead)));

            await reading.Soon();
            await flushing.Soon();
            await pair.CloseAsync(reset: round % 2 == 0); // while the others may still be about it
            await ending.Soon();
        }
    }

    [Theory, EveryKind]
    public async Task IdleConnectionHoldsNoBuffer(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        await pair.SendAsync("x"u8.ToArray());
        ReadResult read = await pair.Connection.Input.ReadAsync().Soon();
        pair.Connection.Input.AdvanceTo(read.Buffer.End);
        await pair.Connection.Output.WriteAsync("x"u8.ToArray());

        ValueTask<ReadResult> waiting = pair.Connection.Input.ReadAsync();

        await Patience.UntilAsync(() => pair.Connection.HeldBuffers == 0);
        pair.Connection.Input.CancelPendingRead();
        await waiting.Soon();
    }

    private static void At(Barrier start, Action action)
    {
        start.SignalAndWait();
        action();
    }

    private static async Task EchoAsync(Connection connection)
    {
        ReadResult read;
        do
        {
            read = await connection.Input.ReadAsync().ConfigureAwait(false);
            await connection.Output.WriteAsync(read.Buffer.First).ConfigureAwait(false);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
    }
}
