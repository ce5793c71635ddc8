using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>One end of an in-memory connection, as a stream.</summary>
/// <remarks>If the other end ended abnormally, a reader first gets everything that was sent, and then an exception.</remarks>
/// <param name="input">The bytes that the other end sends.</param>
/// <param name="output">The bytes for the other end.</param>
/// <param name="end">Knows whether the other end has ended abnormally.</param>
internal sealed class PipeStream(PipeReader input, PipeWriter output, CutMark end) : Stream
{
    private readonly Stream _input = input.AsStream();
    private readonly Stream _output = output.AsStream();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="IOException">The other end has ended abnormally, and all of its bytes have been read.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = await _input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return count > 0 || buffer.IsEmpty || !end.IsCut ? count : throw new IOException("The connection was lost.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <remarks>The code that reads at the other end may run within this call, on the same thread.</remarks>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        bool wasBusy = AnswerScheduler.BeginSending();
        try
        {
            return _output.WriteAsync(buffer, cancellationToken);
        }
        finally
        {
            AnswerScheduler.EndSending(wasBusy);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException("This stream can only be used asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream can only be used asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream can only be used asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Ends both directions, so that the other end sees that the connection has ended.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            bool wasBusy = AnswerScheduler.BeginSending();
            _output.Dispose();
            _input.Dispose();
            AnswerScheduler.EndSending(wasBusy);
        }

        base.Dispose(disposing);
    }
}
