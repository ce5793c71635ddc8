using System.Buffers;
using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

public sealed class PipeConnectionReaderTests
{
    private readonly Pipe _pipe = new();
    private readonly PipeConnectionReader _reader;
    private readonly RecordingWatch _watch = new();

    public PipeConnectionReaderTests() => _reader = new PipeConnectionReader(_pipe.Reader);

    [Fact]
    public async Task EndIsNoticedWhileNobodyReads()
    {
        _reader.Watch(_watch, forBytes: false);

        await _pipe.Writer.CompleteAsync();

        await _watch.Ended.Soon();
        Assert.True(_reader.PeerEnded);
        Assert.False(_reader.EndedByFault);
    }

    [Fact]
    public async Task EndThatCameBeforeTheWatchIsToldAtOnce()
    {
        await _pipe.Writer.CompleteAsync();

        _reader.Watch(_watch, forBytes: false);

        Assert.True(_watch.Ended.IsCompleted);
    }

    [Fact]
    public async Task BytesAreToldOnlyWhereTheyAreWatchedFor()
    {
        _reader.Watch(_watch, forBytes: true);

        await _pipe.Writer.WriteAsync("x"u8.ToArray());

        await _watch.Bytes.Soon();
        Assert.Equal("x", Text(await _reader.ReadAsync().Soon()));
    }

    [Fact]
    public async Task BytesThatCameDuringTheWatchAreReadAfterIt()
    {
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.WriteAsync("next"u8.ToArray());
        _reader.Unwatch();

        Assert.Equal("next", Text(await _reader.ReadAsync().Soon()));
        Assert.False(_watch.Bytes.IsCompleted);
    }

    [Fact]
    public async Task ResultIsHeldDuringTheWatchAndAdvancedAfterIt()
    {
        await _pipe.Writer.WriteAsync("first"u8.ToArray());
        ReadResult held = await _reader.ReadAsync().Soon();
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.WriteAsync("second"u8.ToArray());

        Assert.Equal("first", Text(held));
        _reader.AdvanceTo(held.Buffer.GetPosition(3));

        Assert.Equal("stsecond", Text(await _reader.ReadAsync().Soon()));
    }

    [Fact]
    public async Task FaultDuringTheWatchIsAnEndThatNeedNotBeAdvancedOver()
    {
        await _pipe.Writer.WriteAsync("first"u8.ToArray());
        ReadResult held = await _reader.ReadAsync().Soon();
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        await _watch.Ended.Soon();
        _reader.AdvanceTo(held.Buffer.GetPosition(3));

        ReadResult end = await _reader.ReadAsync().Soon();
        _reader.AdvanceTo(end.Buffer.End);

        Assert.True(end.IsCompleted);
        Assert.True(_reader.EndedByFault);
    }

    /// <summary>Found by fuzzing: the inner pipe has no read to complete after a fault.</summary>
    [Fact]
    public async Task FaultWhileReadingIsAnEnd()
    {
        ValueTask<ReadResult> reading = _reader.ReadAsync();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));

        ReadResult end = await reading.Soon();
        _reader.AdvanceTo(end.Buffer.Start, end.Buffer.End);

        Assert.True(end.IsCompleted);
        Assert.True((await _reader.ReadAsync().Soon()).IsCompleted);
    }

    /// <summary>Found by fuzzing: the watch's read ends with the bytes that came, and sees nothing behind them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndBehindBytesIsFoundByLooking(bool byFault)
    {
        await _pipe.Writer.WriteAsync("first"u8.ToArray());
        ReadResult held = await _reader.ReadAsync().Soon();
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.WriteAsync("second"u8.ToArray());
        _reader.LookBehindBytes();
        _reader.AdvanceTo(held.Buffer.GetPosition(3));
        Assert.False(_watch.Ended.IsCompleted);

        await _pipe.Writer.CompleteAsync(byFault ? new IOException("reset") : null);
        while (!_watch.Ended.IsCompleted)
        {
            _reader.LookBehindBytes(); // the pipe tells the watch's read on a thread of its own, and only then is there something to look behind
            await Task.Yield();
        }

        Assert.Equal(byFault ? "" : "stsecond", Text(await _reader.ReadAsync().Soon()));
        Assert.True(_reader.PeerEnded);
    }

    [Fact]
    public async Task LookingTakesNothingAway()
    {
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.WriteAsync("next"u8.ToArray());
        for (int i = 0; i < 100; i++)
        {
            _reader.LookBehindBytes();
            await Task.Yield();
        }

        Assert.Equal("next", Text(await _reader.ReadAsync().Soon()));
        Assert.False(_watch.Ended.IsCompleted);
    }

    [Fact]
    public async Task ReadIsCanceled()
    {
        ValueTask<ReadResult> reading = _reader.ReadAsync();

        _reader.CancelPendingRead();

        Assert.True((await reading.Soon()).IsCanceled);
    }

    private static string Text(ReadResult read) => Heads.Text(read.Buffer.ToArray());
}
