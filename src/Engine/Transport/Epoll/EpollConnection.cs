using System.IO.Pipelines;
using System.Net;

namespace McpProxyFast.Transport;

/// <summary>A TCP connection in an event loop.</summary>
internal sealed class EpollConnection : Connection
{
    private readonly StreamSocket _socket;

    public EpollConnection(int fd, EventLoop loop, IPAddress? remoteAddress)
    {
        _socket = new StreamSocket(fd, loop);
        RemoteAddress = remoteAddress;
    }

    public override WatchedReader Input => _socket.Reader;

    public override PipeWriter Output => _socket.Writer;

    public override EventLoop? Loop => _socket.Loop;

    public override bool IsBulk
    {
        get => _socket.IsBulk;
        set => _socket.IsBulk = value;
    }

    /// <summary>Waits until a connect that was started on the descriptor has succeeded; the error number if it has not.</summary>
    public async ValueTask<int> WaitConnectedAsync()
    {
        await _socket.Writer.WaitWritableAsync().ConfigureAwait(false);
        return Libc.TakeError(_socket.Fd);
    }

    public override void Abort() => _socket.AbortSocket();

    public override void ShutdownOutput() => _socket.ShutdownSend();

    public override void Close(bool reset)
    {
        _socket.CloseSocket(reset);
        _socket.Reader.Release();
        _socket.Writer.Release();
    }

    private sealed class StreamSocket : EpollSocket
    {
        public StreamSocket(int fd, EventLoop loop)
            : base(fd, loop)
        {
            Reader = new EpollReader(this);
            Writer = new EpollWriter(this);
            StartEvents();
        }

        public EpollReader Reader { get; }

        public EpollWriter Writer { get; }

        public EventLoop Loop => EventLoop;

        protected override void OnReadable() => Reader.OnReadable();

        protected override void OnWritable() => Writer.OnWritable();

        protected override void OnUnawaited(bool ended) => Reader.OnUnawaited(ended);
    }
}
