using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>
/// A pipe writer that notes an abnormal end and completes the pipe normally. If the pipe were completed with an exception, its reader would lose the unread
/// bytes.
/// </summary>
/// <param name="inner">The writer of the pipe.</param>
/// <param name="scheduler">Chooses the thread that reads the flushed bytes.</param>
internal sealed class CutMark(PipeWriter inner, AnswerScheduler scheduler) : PipeWriter
{
    /// <summary>Whether the writer was completed with an exception. Set before the reader can see the end.</summary>
    private volatile bool _isCut;

    /// <summary>Whether the writer has ended abnormally, so that the bytes are incomplete. Valid once the reader has seen the end.</summary>
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

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => scheduler.FlushAsync(inner, cancellationToken);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);
}
