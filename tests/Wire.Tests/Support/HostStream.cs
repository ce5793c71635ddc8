using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>
/// A host's connection over a stream, handed to the engine as <see cref="PipeReader.Create(Stream, StreamPipeReaderOptions)"/> and its counterpart. It does
/// what a host has to: a completed writer is half a close, both ends completed are a close, and an exception makes it a reset.
/// </summary>
internal sealed class HostStream : IDuplexPipe
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly ConcurrentQueue<string> _violations;
    private int _openEnds = 2;
    private int _failed;

    /// <param name="socket">What the stream goes over.</param>
    /// <param name="stream">Over it, bare or under TLS.</param>
    /// <param name="violations">Gets a line for each use that the contract of pipes does not allow.</param>
    public HostStream(Socket socket, Stream stream, ConcurrentQueue<string> violations)
    {
        socket.NoDelay = true;
        _socket = socket;
        _stream = stream;
        _violations = violations;
        Input = new Reader(this, PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)));
        Output = new Writer(this, PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    private void OnCompleted(Exception? cause, bool isWriter)
    {
        if (cause is not null)
        {
            Volatile.Write(ref _failed, 1);
        }

        if (Interlocked.Decrement(ref _openEnds) == 0)
        {
            _ = CloseAsync(); // never throws
        }
        else if (isWriter && cause is null)
        {
            _ = EndOutputAsync(); // never throws
        }
    }

    private async Task EndOutputAsync()
    {
        try
        {
            if (_stream is SslStream tls)
            {
                await tls.ShutdownAsync();
            }

            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is IOException or SocketException or InvalidOperationException)
        {
            // The peer was faster.
        }
    }

    private async Task CloseAsync()
    {
        if (Volatile.Read(ref _failed) == 0)
        {
            await EndOutputAsync();
        }
        else
        {
            try
            {
                _socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                // Closed already, by a reset of the peer.
            }
        }

        _socket.Dispose();
        await _stream.DisposeAsync();
    }

    private void Forbid(bool isWrong, string what)
    {
        if (isWrong)
        {
            _violations.Enqueue(what);
        }
    }

    private sealed class Reader(HostStream host, PipeReader inner) : PipeReader
    {
        private int _isOut;
        private int _isCompleted;

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A reader was advanced after it had been completed.");
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead()
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A read was cancelled after the reader had been completed.");
            inner.CancelPendingRead();
        }

        public override void Complete(Exception? exception = null)
        {
            host.Forbid(Volatile.Read(ref _isOut) == 1, "A reader was completed while its read was out.");
            if (Interlocked.Exchange(ref _isCompleted, 1) == 0)
            {
                inner.Complete(exception);
                host.OnCompleted(exception, isWriter: false);
            }
        }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A read was begun after the reader had been completed.");
            host.Forbid(Interlocked.Exchange(ref _isOut, 1) == 1, "Two reads were out at once.");
            try
            {
                return await inner.ReadAsync(cancellationToken);
            }
            finally
            {
                Volatile.Write(ref _isOut, 0);
            }
        }

        public override bool TryRead(out ReadResult result)
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A read was begun after the reader had been completed.");
            return inner.TryRead(out result);
        }
    }

    private sealed class Writer(HostStream host, PipeWriter inner) : PipeWriter
    {
        private int _isOut;
        private int _isCompleted;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush()
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A flush was cancelled after the writer had been completed.");
            inner.CancelPendingFlush();
        }

        public override void Complete(Exception? exception = null)
        {
            host.Forbid(Volatile.Read(ref _isOut) == 1, "A writer was completed while its flush was out.");
            if (Interlocked.Exchange(ref _isCompleted, 1) == 0)
            {
                inner.Complete(exception);
                host.OnCompleted(exception, isWriter: true);
            }
        }

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            host.Forbid(Volatile.Read(ref _isCompleted) == 1, "A flush was begun after the writer had been completed.");
            host.Forbid(Interlocked.Exchange(ref _isOut, 1) == 1, "Two flushes were out at once.");
            try
            {
                return await inner.FlushAsync(cancellationToken);
            }
            finally
            {
                Volatile.Write(ref _isOut, 0);
            }
        }
    }
}
