using System.IO.Pipelines;
using McpProxyFast.Transport;
using static McpProxyFast.Engine.Tests.Transport.Channels.ChannelBytes;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What every channel does with reads and flushes that are cancelled or aborted.</summary>
[Collection(nameof(ChannelContractTests))]
public sealed class ChannelInterruptionTests
{
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
}
