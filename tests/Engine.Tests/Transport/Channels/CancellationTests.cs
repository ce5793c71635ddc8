using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>Cancellations, ends and readiness that fall between two steps of a reader or writer.</summary>
public sealed class CancellationTests
{
    private readonly ScriptedChannel _channel = new();
    private readonly Connection _connection;

    public CancellationTests() => _connection = new Connection(_channel, null);

    [Fact]
    public async Task CancellationWhileAReadGoesOnAndFindsNothingIsSeen()
    {
        ValueTask<ReadResult> reading = _connection.Input.ReadAsync();
        _channel.OnReceive = () =>
        {
            _connection.Input.CancelPendingRead();
            return Channel.WouldBlock;
        };

        _channel.BecomeReadable();

        Assert.True((await reading.Soon()).IsCanceled);
    }

    [Fact]
    public async Task CancellationWhileAFlushGoesOnAndIsHeldBackAgainIsSeen()
    {
        ValueTask<FlushResult> flushing = _connection.Output.WriteAsync("x"u8.ToArray());
        _channel.OnSend = () =>
        {
            _connection.Output.CancelPendingFlush();
            return Channel.WouldBlock;
        };

        _channel.BecomeWritable();

        Assert.True((await flushing.Soon()).IsCanceled);
    }

    [Fact]
    public async Task EndThatComesWithBytesThatAReadWaitsForIsTold()
    {
        var watch = new RecordingWatch();
        ValueTask<ReadResult> reading = _connection.Input.ReadAsync();
        _connection.Input.Watch(watch, forBytes: false);
        _channel.OnReceive = static () => 1;

        _channel.BecomeReadable(ended: true);

        Assert.Equal(1, (await reading.Soon()).Buffer.Length);
        Assert.True(watch.Ended.IsCompleted);
    }

    /// <summary>A channel may tell of bytes on a thread of its own after the reader has had them, and after the next watch was set.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BytesAreUnexpectedOnlyWhereTheyAreStillUnread(bool areUnread)
    {
        var watch = new RecordingWatch();
        _connection.Input.Watch(watch, forBytes: true);
        _channel.HasBytes = areUnread;

        _channel.BecomeReadable();

        Assert.Equal(areUnread, watch.Bytes.IsCompleted);
    }

    [Fact]
    public async Task ReadinessThatComesWhileAReadIsBeingArmedIsTaken()
    {
        bool isFirst = true;
        _channel.OnReceive = () =>
        {
            if (!isFirst)
            {
                return 1;
            }

            isFirst = false;
            _channel.BecomeReadable();
            return Channel.WouldBlock;
        };
        _channel.BecomeReadable();

        Assert.Equal(1, (await _connection.Input.ReadAsync().Soon()).Buffer.Length);
    }

    [Fact]
    public async Task PartialSendsAreCountedAndTheRestIsSent()
    {
        int left = 5;
        _channel.OnSend = () => left-- > 0 ? 2 : Channel.WouldBlock;
        Task<FlushResult> flushing = _connection.Output.WriteAsync(new byte[11]).AsTask();
        Assert.False(flushing.IsCompleted);
        Assert.Equal(10, _connection.Output.SentBytes);

        _channel.OnSend = static () => 1;
        _channel.BecomeWritable();

        Assert.False((await flushing.Soon()).IsCompleted);
        Assert.Equal(11, _connection.Output.SentBytes);
    }
}
