using System.IO.Pipelines;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>A pipe writer that only remembers what was written to it.</summary>
internal sealed class CapturingWriter : PipeWriter
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _bytes.AsMemory(_length, Math.Max(sizeHint, 1));
    }

    /// <summary>Exactly as much room as was asked for: whoever writes more fails here.</summary>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _length += bytes;

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    private void MakeRoom(int room)
    {
        if (_bytes.Length - _length < Math.Max(room, 1))
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + room + 1));
        }
    }
}
