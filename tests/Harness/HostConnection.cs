using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;

namespace McpProxyFast.Harness;

/// <summary>
/// A host's connection over a stream, handed to the engine as <see cref="PipeReader.Create(Stream, StreamPipeReaderOptions)"/> and its counterpart. It does
/// what a host has to: a completed writer is half a close, both ends completed are a close, and an exception makes it a reset.
/// </summary>
public sealed class HostConnection : IDuplexPipe
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly ConcurrentQueue<string> _violations;
    private int _openEnds = 2;
    private int _failed;

    /// <param name="socket">What the stream goes over.</param>
    /// <param name="stream">Over it, bare or under TLS.</param>
    /// <param name="violations">Gets a line for each use that the contract of pipes does not allow.</param>
    public HostConnection(Socket socket, Stream stream, ConcurrentQueue<string> violations)
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

    /// <summary>One of the two ends: what may not be done to it, and what is done when it is completed.</summary>
    /// <param name="host">Told when the end is completed.</param>
    /// <param name="isWriter">The writer; else the reader.</param>
    private sealed class End(HostConnection host, bool isWriter)
    {
        private readonly string _end = isWriter ? "writer" : "reader";
        private readonly string _operation = isWriter ? "flush" : "read";
        private int _isOut;
        private int _isCompleted;

        /// <summary>Something is done that may not be done to a completed end.</summary>
        public void Use(string what) => Forbid(Volatile.Read(ref _isCompleted) == 1, $"{what} after the {_end} had been completed.");

        /// <summary>Runs a read, or a flush.</summary>
        public async ValueTask<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> operation, CancellationToken cancellationToken)
        {
            Use($"A {_operation} was begun");
            Forbid(Interlocked.Exchange(ref _isOut, 1) == 1, $"Two of one kind ({_operation}) were out at once.");
            try
            {
                return await operation(cancellationToken);
            }
            finally
            {
                Volatile.Write(ref _isOut, 0);
            }
        }

        public void Complete(Action<Exception?> complete, Exception? cause)
        {
            Forbid(Volatile.Read(ref _isOut) == 1, $"A {_end} was completed while its {_operation} was out.");
            if (Interlocked.Exchange(ref _isCompleted, 1) == 0)
            {
                complete(cause);
                host.OnCompleted(cause, isWriter);
            }
        }

        private void Forbid(bool isWrong, string what)
        {
            if (isWrong)
            {
                host._violations.Enqueue(what);
            }
        }
    }

    private sealed class Reader(HostConnection host, PipeReader inner) : PipeReader
    {
        private readonly End _end = new(host, isWriter: false);

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _end.Use("A reader was advanced");
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead()
        {
            _end.Use("A read was cancelled");
            inner.CancelPendingRead();
        }

        public override void Complete(Exception? exception = null) => _end.Complete(inner.Complete, exception);

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => _end.RunAsync(inner.ReadAsync, cancellationToken);

        public override bool TryRead(out ReadResult result)
        {
            _end.Use("A read was begun");
            return inner.TryRead(out result);
        }
    }

    private sealed class Writer(HostConnection host, PipeWriter inner) : PipeWriter
    {
        private readonly End _end = new(host, isWriter: true);

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush()
        {
            _end.Use("A flush was cancelled");
            inner.CancelPendingFlush();
        }

        public override void Complete(Exception? exception = null) => _end.Complete(inner.Complete, exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => _end.RunAsync(inner.FlushAsync, cancellationToken);
    }
}
