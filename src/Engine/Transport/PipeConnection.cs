using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Transport;

/// <summary>A connection over somebody else's duplex pipe: a host's, a test's, or one that wraps a stream (TLS, and sockets where there is no event loop).</summary>
internal sealed class PipeConnection : Connection
{
    private readonly IDuplexPipe _pipe;
    private readonly IDisposable? _owned;

    /// <param name="pipe">The bytes.</param>
    /// <param name="remoteAddress">The peer's address, where there is one.</param>
    /// <param name="owned">Disposed to end the connection under a pipe that wraps it; null where the pipe's other side is to be completed by its host.</param>
    public PipeConnection(IDuplexPipe pipe, IPAddress? remoteAddress = null, IDisposable? owned = null)
    {
        _pipe = pipe;
        _owned = owned;
        RemoteAddress = remoteAddress;
        Input = new PipeConnectionReader(pipe.Input);
        Output = new PipeConnectionWriter(pipe.Output);
    }

    public override WatchedReader Input { get; }

    public override PipeWriter Output { get; }

    /// <summary>Wraps a stream, which is disposed with the connection.</summary>
    public static PipeConnection Over(Stream stream, IPAddress? remoteAddress)
    {
        const int bufferBytes = 16 * 1024; // the largest TLS record
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: bufferBytes, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
        var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: bufferBytes, leaveOpen: true));
        return new PipeConnection(new Duplex(reader, writer), remoteAddress, stream);
    }

    public static PipeConnection Over(Socket socket)
    {
        socket.NoDelay = true;
        KeepAlive.TurnOn(socket);
        return Over(new NetworkStream(socket, ownsSocket: true), (socket.RemoteEndPoint as IPEndPoint)?.Address);
    }

    public override void Abort()
    {
        _pipe.Input.CancelPendingRead();
        _pipe.Output.CancelPendingFlush();
        ((PipeConnectionReader)Input).EndByAbort();
        _owned?.Dispose();
    }

    public override void ShutdownOutput()
    {
        if (_owned is null)
        {
            _pipe.Output.Complete();
        }
    }

    public override void Close(bool reset)
    {
        Exception? cause = reset ? new IOException("The proxy aborted the connection.") : null;
        _pipe.Input.Complete(cause);
        _pipe.Output.Complete(cause);
        _owned?.Dispose();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
