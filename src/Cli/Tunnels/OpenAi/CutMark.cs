using System.IO.Pipelines;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A pipe's writer that ends in order and remembers whether it was cut. A pipe that ends by an exception drops what has not been read yet.</summary>
/// <param name="inner">The pipe's own.</param>
internal sealed class CutMark(PipeWriter inner) : PipeWriter
{
    /// <summary>Set before the end can be read.</summary>
    private volatile bool _isCut;

    /// <summary>Whether what was written is not whole. Valid once the end has been read.</summary>
    public bool IsCut => _isCut;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        _isCut |= exception is not null;
        inner.Complete();
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(source, cancellationToken);
}
