using System.Buffers;
using System.IO.Pipelines;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>A peer over two in-memory pipes whose continuations run inline: so one input always runs the same way.</summary>
internal sealed class PipePeer : ScriptedPeer
{
    private static readonly PipeOptions Inline = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 0,
        resumeWriterThreshold: 0,
        useSynchronizationContext: false);

    private readonly Pipe _toProxy = new(Inline);
    private readonly Pipe _fromProxy = new(Inline);
    private readonly StreamWriter? _streamWriter;

    /// <param name="overStreams">The proxy is given a pipe reader and writer over streams over these pipes, as a host does that has a stream.</param>
    public PipePeer(bool overStreams)
    {
        if (overStreams)
        {
            _streamWriter = new StreamWriter(PipeWriter.Create(_fromProxy.Writer.AsStream()));
            ProxySide = new Duplex(PipeReader.Create(_toProxy.Reader.AsStream()), _streamWriter);
        }
        else
        {
            ProxySide = new Duplex(_toProxy.Reader, _fromProxy.Writer);
        }
    }

    /// <summary>What the proxy is given.</summary>
    public IDuplexPipe ProxySide { get; }

    public override bool IsReleased
    {
        get
        {
            Receive();
            return ProxyEnded && (IsClosed || !Write(default));
        }
    }

    public override void Receive()
    {
        try
        {
            while (!ProxyEnded && _fromProxy.Reader.TryRead(out ReadResult read))
            {
                Take(read.Buffer.ToArray());
                _fromProxy.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    SeeEnd(orderly: _streamWriter is not { WasAborted: true });
                }
            }
        }
        catch (IOException)
        {
            SeeEnd(orderly: false); // the proxy's way to say over a pipe what a reset says over TCP
        }
    }

    /// <summary>The pipe has no bound, so this never waits.</summary>
    protected override bool Write(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return !_toProxy.Writer.WriteAsync(bytes).AsTask().GetAwaiter().GetResult().IsCompleted;
        }
        catch (IOException)
        {
            return false; // the proxy's way to say over a pipe what a reset says over TCP
        }
    }

    protected override void End(bool orderly) => _toProxy.Writer.Complete(orderly ? null : new IOException("The peer reset the connection."));

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Remembers how it was completed, as a host has to: the stream behind it only knows that it was.</summary>
    private sealed class StreamWriter(PipeWriter inner) : PipeWriter
    {
        public bool WasAborted { get; private set; }

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null)
        {
            WasAborted |= exception is not null;
            inner.Complete(exception);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(source, cancellationToken);
    }
}
