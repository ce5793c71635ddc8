using System.Diagnostics;

namespace McpProxyFast.Cli.Lines;

/// <summary>A write-only stream over a destination.</summary>
/// <remarks>
/// An asynchronous write never blocks its caller, which may be an event loop. Bytes that cannot be written without waiting are written by a thread of the pool.
/// </remarks>
/// <param name="destination">The destination. Only one thread at a time writes to it.</param>
internal sealed class DestinationStream(IDestination destination) : Stream
{
    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer) => destination.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => destination.Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            int written = destination.WriteAtOnce(buffer.Span);
            Debug.Assert(written <= buffer.Length, "No more is written than was given.");
            return written == buffer.Length ? ValueTask.CompletedTask : new ValueTask(WriteWaitingAsync(buffer[written..]));
        }
        catch (IOException fault)
        {
            return ValueTask.FromException(fault);
        }
    }

    private Task WriteWaitingAsync(ReadOnlyMemory<byte> rest) => Task.Run(() => destination.Write(rest.Span), CancellationToken.None);

    public override void Flush()
    {
        // Nothing is buffered here.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
