using System.Buffers;
using System.IO.Pipelines;
using System.Reflection;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using Xunit.Sdk;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What every channel promises, whatever carries its bytes. At the end of each test everything has been given back.</summary>
/// <remarks>Alone: it takes much memory and every thread, and other tests measure what is allocated.</remarks>
[Collection(nameof(ChannelContractTests))]
[CollectionDefinition(nameof(ChannelContractTests), DisableParallelization = true)]
public sealed class ChannelContractTests
{
    /// <summary>More than any buffer, ring and pipe on the way holds, sockets' own included.</summary>
    private const int Much = 16 * 1024 * 1024;

    private readonly RecordingWatch _watch = new();

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

    /// <summary>However late a channel's thread tells of bytes: where the reader has had them by then, nobody is told.</summary>
    [Theory, EveryKind]
    public async Task BytesThatWereReadAreNeverToldAsUnexpected(Kind kind)
    {
        const int pieces = 3;
        const int pieceBytes = 64; // as large as the smallest buffer in Debug: a read that fills it looks for more by itself
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        Task answering = Task.Run(async () =>
        {
            byte[] question = new byte[1];
            while (await pair.Peer.ReadAsync(question) > 0)
            {
                for (int i = 0; i < pieces; i++)
                {
                    await pair.SendAsync(new byte[pieceBytes]);
                }
            }
        });

        for (int round = 0; round < 2_000; round++)
        {
            await pair.Connection.Output.WriteAsync("?"u8.ToArray()).Soon();
            for (long received = 0; received < pieces * pieceBytes;)
            {
                ReadResult read = await pair.Connection.Input.ReadAsync().Soon();
                received += read.Buffer.Length;
                pair.Connection.Input.AdvanceTo(read.Buffer.End);
            }

            var watch = new RecordingWatch();
            pair.Connection.Input.Watch(watch, forBytes: true);
            await Task.Yield();
            pair.Connection.Input.Unwatch();
            Assert.False(watch.Bytes.IsCompleted, $"Told in round {round}.");
        }

        pair.Connection.ShutdownOutput();
        await answering.Soon();
    }

    [Theory, EveryKind]
    public async Task EndBehindUnreadBytesIsTold(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Connection.Input.Watch(_watch, forBytes: false);
        await pair.SendAsync("unread"u8.ToArray());

        pair.Finish();

        await _watch.Ended.Soon();
        Assert.Equal("unread", Heads.Text((await ReadToEndAsync(pair.Connection.Input)).Bytes));
    }

    [Theory, EveryKind]
    public async Task EndIsToldWhileAReadIsArmed(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();
        pair.Connection.Input.Watch(_watch, forBytes: false);

        pair.Reset();

        await _watch.Ended.Soon();
        Assert.True((await reading.Soon()).IsCompleted);
    }

    /// <summary>Asked for at each heartbeat where a channel cannot see the end by itself, as long as its peer's bytes have no room.</summary>
    [Theory]
    [InlineData(Kind.Epoll)]
    [InlineData(Kind.Socket)]
    public async Task UrgentDataBehindUnreadBytesAreNoEnd(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Connection.Input.Watch(_watch, forBytes: false);
        await pair.SendAsync(new byte[48 * 1024]); // more than a channel takes by itself
        pair.SendUrgent((byte)'!');

        for (int beat = 0; beat < 2_000 && !_watch.Ended.IsCompleted; beat++)
        {
            pair.Connection.Input.LookForEnd();
            await Task.Yield();
        }

        Assert.False(_watch.Ended.IsCompleted);
        pair.Finish();
        await Patience.UntilAsync(() =>
        {
            pair.Connection.Input.LookForEnd();
            return _watch.Ended.IsCompleted;
        });
    }

    [Theory, EveryKind]
    public async Task EndThatCameBeforeTheWatchIsToldAtOnce(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();
        pair.Finish();
        Assert.True((await reading.Soon()).IsCompleted);
        await Patience.UntilAsync(() => pair.Connection.Input.PeerEnded);

        pair.Connection.Input.Watch(_watch, forBytes: false);

        Assert.True(_watch.Ended.IsCompleted);
    }

    [Theory, EveryKind]
    public async Task UnexpectedBytesAreToldAndLeftToBeRead(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Connection.Input.Watch(_watch, forBytes: true);

        await pair.SendAsync("x"u8.ToArray());

        await _watch.Bytes.Soon();
        Assert.Equal(Arrival.Bytes, pair.Connection.Input.Look(asksSystem: true));
        Assert.Equal("x", Text(await pair.Connection.Input.ReadAsync().Soon()));
    }

    [Theory, EveryKind]
    public async Task WatchThatIsOverIsToldNothing(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Connection.Input.Watch(_watch, forBytes: true);
        pair.Connection.Input.Unwatch();

        await pair.SendAsync("x"u8.ToArray());
        pair.Finish();
        await ReadToEndAsync(pair.Connection.Input);

        Assert.False(_watch.Bytes.IsCompleted || _watch.Ended.IsCompleted);
    }

    [Theory, EveryKind]
    public async Task CanceledReadGoesOnWithTheNextOne(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();
        pair.Connection.Input.CancelPendingRead();
        Assert.True((await reading.Soon()).IsCanceled);
        pair.Connection.Input.CancelPendingRead();
        Assert.True((await pair.Connection.Input.ReadAsync().Soon()).IsCanceled);

        await pair.SendAsync("x"u8.ToArray());

        Assert.Equal("x", Text(await pair.Connection.Input.ReadAsync().Soon()));
    }

    /// <summary>However cancellations fall, no byte is lost and none of them stays unseen.</summary>
    [Theory, EveryKind]
    public async Task ReadsAreCanceledAtEveryMoment(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        byte[] sent = RandomBytes(300_000);
        using var isOver = new CancellationTokenSource();
        Task canceling = Task.Run(() =>
        {
            while (!isOver.IsCancellationRequested)
            {
                pair.Connection.Input.CancelPendingRead();
            }
        });
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < sent.Length; i += 1_000)
            {
                await pair.SendAsync(sent.AsMemory(i, 1_000));
            }

            pair.Finish();
        });

        (byte[] received, _) = await ReadToEndAsync(pair.Connection.Input);

        await sending.Soon();
        await isOver.CancelAsync();
        await canceling.Soon();
        Assert.True(received.AsSpan().SequenceEqual(sent));
    }

    [Theory, EveryKind]
    public async Task CanceledFlushFailsTheWriterAndGivesEverythingBack(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        Task<FlushResult> flushing = pair.Connection.Output.WriteAsync(new byte[Much]).AsTask();
        Assert.False(flushing.IsCompleted);

        pair.Connection.Output.CancelPendingFlush();

        FlushResult canceled = await flushing.Soon();
        Assert.True(canceled.IsCanceled);
        Assert.False(canceled.IsCompleted);
        Assert.True((await pair.Connection.Output.WriteAsync("x"u8.ToArray()).Soon()).IsCompleted);
        await pair.CloseAsync(reset: true); // with a write out
    }

    [Theory, EveryKind]
    public async Task CancellationThatComesBeforeAFlushThatWaitsIsFound(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        pair.Connection.Output.CancelPendingFlush();

        Assert.True((await pair.Connection.Output.WriteAsync(new byte[Much]).Soon()).IsCanceled);
    }

    [Theory, EveryKind]
    public async Task FlushesAreCanceledAtEveryMoment(Kind kind)
    {
        for (int spins = 0; spins < 40; spins++)
        {
            await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
            using var reading = new CancellationTokenSource();
            Task reader = Task.Run(() => pair.PeerReadsToEndAsync());
            Task<FlushResult> flushing = Task.Run(() => pair.Connection.Output.WriteAsync(new byte[1024 * 1024]).AsTask());

            Thread.SpinWait(spins * 500);
            pair.Connection.Output.CancelPendingFlush();

            FlushResult flush = await flushing.Soon();
            Assert.True(flush.IsCanceled || pair.Connection.Output.SentBytes == 1024 * 1024);
            await pair.CloseAsync();
            await reader.Soon();
        }
    }

    [Theory, EveryKind]
    public async Task AbortWakesReadAndFlush(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        ValueTask<ReadResult> reading = pair.Connection.Input.ReadAsync();
        Task<FlushResult> flushing = pair.Connection.Output.WriteAsync(new byte[Much]).AsTask();

        await Task.Run(pair.Connection.Abort).Soon();

        Assert.True((await reading.Soon()).IsCompleted);
        Assert.True((await flushing.Soon()).IsCompleted);
        Assert.True(pair.Connection.Input.EndedByFault);
    }

    [Theory, EveryKind]
    public async Task AbortBehindUnreadBytesEndsTheReader(Kind kind)
    {
        await using ChannelPair pair = await ChannelPair.MakeAsync(kind);
        Task sending = Task.Run(async () =>
        {
            try
            {
                await pair.SendAsync(new byte[Much]);
            }
            catch (IOException)
            {
                // Cut while it was sent.
            }
        });
        ReadResult read = await pair.Connection.Input.ReadAsync().Soon();
        pair.Connection.Input.AdvanceTo(read.Buffer.End);

        pair.Connection.Abort();

        Assert.False((await ReadToEndAsync(pair.Connection.Input)).IsWhole);
        await pair.CloseAsync(reset: true);
        await sending.Soon();
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

    /// <summary>Reads to the end, over cancellations.</summary>
    private static async Task<(byte[] Bytes, bool IsWhole)> ReadToEndAsync(ConnectionReader reader)
    {
        var all = new MemoryStream();
        ReadResult read;
        do
        {
            read = await reader.ReadAsync().Soon();
            all.Write(read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        return (all.ToArray(), !reader.EndedByFault);
    }

    private static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static string Text(ReadResult read) => Heads.Text(read.Buffer.ToArray());

    /// <summary>Runs a theory over every kind of channel; without epoll over all others.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class EveryKindAttribute : DataAttribute
    {
        public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
            Enum.GetValues<Kind>().Where(static kind => kind is not Kind.Epoll || OperatingSystem.IsLinux()).Select(static kind => new object[] { kind });
    }
}
