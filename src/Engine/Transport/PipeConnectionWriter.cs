using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport;

/// <summary>Makes any pipe writer say by its result, not by an exception, that the peer has gone.</summary>
internal sealed class PipeConnectionWriter(PipeWriter inner) : PipeWriter
{
    private long _unflushed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        _unflushed += bytes;
        inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => Settle(default);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) => Settle(source);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> Settle(ReadOnlyMemory<byte> source)
    {
        _unflushed = 0;
        try
        {
            return source.IsEmpty ? await inner.FlushAsync().ConfigureAwait(false) : await inner.WriteAsync(source).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
    }
}
