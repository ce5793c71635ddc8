using System.Buffers;
using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>The watch on a connection over a host's pipe.</summary>
public sealed class HostPipeTests
{
    private readonly Pipe _pipe = new();
    private readonly ConnectionReader _reader;
    private readonly RecordingWatch _watch = new();

    public HostPipeTests() => _reader = NetworkStack.Over(new Duplex(_pipe.Reader, new Pipe().Writer), null).Input;

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
        await PeerEndedAsync();

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
        _reader.AdvanceTo(held.Buffer.GetPosition(3), held.Buffer.End);

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
        _reader.AdvanceTo(held.Buffer.GetPosition(3), held.Buffer.End);

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

    /// <summary>Found by fuzzing: a read that ends with the bytes that came sees nothing behind them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndBehindBytesIsFound(bool byFault)
    {
        await _pipe.Writer.WriteAsync("first"u8.ToArray());
        ReadResult held = await _reader.ReadAsync().Soon();
        _reader.Watch(_watch, forBytes: false);
        await _pipe.Writer.WriteAsync("second"u8.ToArray());
        _reader.AdvanceTo(held.Buffer.GetPosition(3), held.Buffer.End);
        Assert.False(_watch.Ended.IsCompleted);

        await _pipe.Writer.CompleteAsync(byFault ? new IOException("reset") : null);

        await _watch.Ended.Soon();
        Assert.StartsWith("stsecond", Text(await _reader.ReadAsync().Soon()) + (byFault ? "second" : ""), StringComparison.Ordinal);
        Assert.True(_reader.PeerEnded);
    }

    [Fact]
    public async Task LookingTakesNothingAway()
    {
        await _pipe.Writer.WriteAsync("next"u8.ToArray());
        await Patience.UntilAsync(() => _reader.Look(asksSystem: true) is not Arrival.Nothing);

        Assert.Equal(Arrival.Bytes, _reader.Look(asksSystem: false));
        Assert.Equal("next", Text(await _reader.ReadAsync().Soon()));
    }

    [Fact]
    public async Task ReadIsCanceled()
    {
        ValueTask<ReadResult> reading = _reader.ReadAsync();

        _reader.CancelPendingRead();

        Assert.True((await reading.Soon()).IsCanceled);
    }

    private Task PeerEndedAsync() => Patience.UntilAsync(() => _reader.PeerEnded);

    private static string Text(ReadResult read) => Heads.Text(read.Buffer.ToArray());

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
