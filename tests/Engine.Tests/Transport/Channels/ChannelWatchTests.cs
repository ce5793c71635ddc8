using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using static McpProxyFast.Engine.Tests.Transport.Channels.ChannelBytes;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What every channel tells of its peer while nobody reads: its end, and bytes that nobody expects.</summary>
[Collection(nameof(ChannelContractTests))]
public sealed class ChannelWatchTests
{
    private readonly RecordingWatch _watch = new();

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
}
