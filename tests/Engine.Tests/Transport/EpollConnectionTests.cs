using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>Over real loopback sockets; on systems without epoll there is nothing to test.</summary>
public sealed class EpollConnectionTests : IDisposable
{
    private readonly NetworkStack _network;
    private readonly Listener _listener;
    private readonly RecordingWatch _watch = new();

    public EpollConnectionTests()
    {
        _network = new NetworkStack();
        _listener = _network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _network.Dispose();
    }

    [Fact]
    public async Task BytesAreReadAndTheEndIsOrderly()
    {
        (Connection connection, Socket peer) = await PairAsync();
        await peer.SendAsync("hello"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);

        Assert.Equal("hello", await ReadToEndAsync(connection));
        Assert.True(connection.Input.PeerEnded);
        Assert.False(connection.Input.EndedByFault);
        Close(connection, peer);
    }

    [Fact]
    public async Task UnconsumedBytesGrowIntoOnePiece()
    {
        const int length = 100_000;
        (Connection connection, Socket peer) = await PairAsync();
        byte[] sent = [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];
        Task sending = peer.SendAsync(sent);
        ReadResult read = await connection.Input.ReadAsync().Soon();
        while (read.Buffer.Length < length)
        {
            connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await connection.Input.ReadAsync().Soon();
        }

        await sending.Soon();
        Assert.True(read.Buffer.IsSingleSegment);
        Assert.Equal(sent, read.Buffer.ToArray());
        Close(connection, peer);
    }

    [Fact]
    public async Task LargeWriteArrivesWholeAtASlowReader()
    {
        const int length = 8 * 1024 * 1024;
        (Connection connection, Socket peer) = await PairAsync();
        byte[] sent = new byte[length];
        new Random(1).NextBytes(sent);
        connection.Output.Write("head:"u8);
        Task<FlushResult> flushing = connection.Output.WriteAsync(sent).AsTask();
        Assert.False(flushing.IsCompleted);

        byte[] received = new byte[length + 5];
        await new NetworkStream(peer).ReadExactlyAsync(received).AsTask().Soon();

        Assert.False((await flushing.Soon()).IsCompleted);
        Assert.True(received.AsSpan(5).SequenceEqual(sent));
        Close(connection, peer);
    }

    [Fact]
    public async Task PendingReadIsCanceledAndTheNextOneGoesOn()
    {
        (Connection connection, Socket peer) = await PairAsync();
        ValueTask<ReadResult> reading = connection.Input.ReadAsync();
        connection.Input.CancelPendingRead();
        Assert.True((await reading.Soon()).IsCanceled);

        await peer.SendAsync("x"u8.ToArray());

        Assert.Equal("x", Text(await connection.Input.ReadAsync().Soon()));
        Close(connection, peer);
    }

    [Fact]
    public async Task CancellationThatComesFirstIsFoundByTheNextRead()
    {
        (Connection connection, Socket peer) = await PairAsync();

        connection.Input.CancelPendingRead();

        Assert.True((await connection.Input.ReadAsync().Soon()).IsCanceled);
        Close(connection, peer);
    }

    [Fact]
    public async Task PendingFlushIsCanceled()
    {
        (Connection connection, Socket peer) = await PairAsync();
        Task<FlushResult> flushing = connection.Output.WriteAsync(new byte[16 * 1024 * 1024]).AsTask();
        Assert.False(flushing.IsCompleted);

        connection.Output.CancelPendingFlush();

        Assert.True((await flushing.Soon()).IsCanceled);
        Close(connection, peer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndIsNoticedWhileAResultIsHeld(bool reset)
    {
        (Connection connection, Socket peer) = await PairAsync();
        await peer.SendAsync("held"u8.ToArray());
        ReadResult held = await connection.Input.ReadAsync().Soon();
        connection.Input.Watch(_watch, forBytes: false);

        peer.LingerState = new LingerOption(reset, 0);
        peer.Dispose();

        await _watch.Ended.Soon();
        Assert.Equal("held", Text(held));
        connection.Input.AdvanceTo(held.Buffer.End);
        Assert.True((await connection.Input.ReadAsync().Soon()).IsCompleted);
        Assert.Equal(reset, connection.Input.EndedByFault);
        Close(connection, peer);
    }

    [Fact]
    public async Task BytesNobodyAskedForAreNoticed()
    {
        (Connection connection, Socket peer) = await PairAsync();
        connection.Input.Watch(_watch, forBytes: true);

        await peer.SendAsync("x"u8.ToArray());

        await _watch.Bytes.Soon();
        Close(connection, peer);
    }

    [Fact]
    public async Task PipelinedBytesDoNotHideTheEnd()
    {
        (Connection connection, Socket peer) = await PairAsync();
        connection.Input.Watch(_watch, forBytes: false);
        await peer.SendAsync("pipelined"u8.ToArray());

        peer.Shutdown(SocketShutdown.Send);

        await _watch.Ended.Soon();
        Assert.Equal("pipelined", await ReadToEndAsync(connection));
        Close(connection, peer);
    }

    [Fact]
    public async Task HalfClosedConnectionStillReads()
    {
        (Connection connection, Socket peer) = await PairAsync();
        connection.ShutdownOutput();
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Soon());

        await peer.SendAsync("late"u8.ToArray());

        Assert.Equal("late", Text(await connection.Input.ReadAsync().Soon()));
        Close(connection, peer);
    }

    [Fact]
    public async Task AbortWakesTheReader()
    {
        (Connection connection, Socket peer) = await PairAsync();
        ValueTask<ReadResult> reading = connection.Input.ReadAsync();

        connection.Abort();

        Assert.True((await reading.Soon()).IsCompleted);
        Close(connection, peer);
    }

    [Fact]
    public async Task ResetReachesThePeer()
    {
        (Connection connection, Socket peer) = await PairAsync();

        connection.Close(reset: true);

        SocketException fault = await Assert.ThrowsAsync<SocketException>(() => peer.ReceiveAsync(new byte[1]).Soon());
        Assert.Equal(SocketError.ConnectionReset, fault.SocketErrorCode);
        peer.Dispose();
    }

    [Fact]
    public async Task WriteToAPeerThatIsGoneCompletesTheWriter()
    {
        (Connection connection, Socket peer) = await PairAsync();
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        Assert.True((await connection.Input.ReadAsync().Soon()).IsCompleted);

        Assert.True((await connection.Output.WriteAsync("x"u8.ToArray()).Soon()).IsCompleted);
        connection.Close(reset: false);
    }

    [Fact]
    public async Task ListenerThatIsDisposedGivesNoMoreConnections()
    {
        Task<Connection?> accepting = _listener.AcceptAsync().AsTask();

        _listener.Dispose();

        Assert.Null(await accepting.Soon());
    }

    private async Task<(Connection Connection, Socket Peer)> PairAsync()
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await peer.ConnectAsync(_listener.LocalEndPoint);
        return ((await _listener.AcceptAsync().Soon())!, peer);
    }

    private static async Task<string> ReadToEndAsync(Connection connection)
    {
        string text = "";
        while (true)
        {
            ReadResult read = await connection.Input.ReadAsync().Soon();
            text += Text(read);
            connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return text;
            }
        }
    }

    private static string Text(ReadResult read) => Heads.Text(read.Buffer.ToArray());

    private static void Close(Connection connection, Socket peer)
    {
        connection.Close(reset: false);
        peer.Dispose();
    }
}
