using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Cli.Lines;

/// <summary>A stream whose reads block, read by a thread of its own, which goes on with what waits for the bytes.</summary>
/// <remarks>
/// A thread of the pool would have to be woken for each read, and another one for what comes after it. What goes on must not block: nothing is read meanwhile.
/// </remarks>
internal sealed class SourceStream : Stream, IValueTaskSource<int>
{
    /// <summary>Read from by the thread alone.</summary>
    private readonly Stream _source;

    /// <summary>Released once for each read that is asked for.</summary>
    private readonly SemaphoreSlim _asked = new(0);

    /// <summary>Where the bytes of the read go. Valid from the asking until it has completed.</summary>
    private Memory<byte> _room;

    /// <summary>The read's completion. One read is asked for at a time.</summary>
    private ManualResetValueTaskSourceCore<int> _read;

    /// <summary>A read has been asked for and has not completed.</summary>
    private bool _isReading;

    /// <param name="source">Taken over.</param>
    /// <param name="name">The name of the thread.</param>
    public SourceStream(Stream source, string name)
    {
        _source = source;
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("The thread reads.");

    /// <remarks>A read that has begun cannot be cancelled.</remarks>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Debug.Assert(!_isReading, "One read at a time.");
        _isReading = true;
        _read.Reset();
        _room = buffer;
        var reading = new ValueTask<int>(this, _read.Version);
        _asked.Release();
        return reading;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private void Run()
    {
        while (true)
        {
            _asked.Wait();
            int count = 0;
            Exception? broken = null;
            try
            {
                count = _source.Read(_room.Span);
            }
            catch (Exception fault)
            {
                broken = fault;
            }

            _isReading = false;
            if (broken is null)
            {
                _read.SetResult(count); // runs what waits, up to where that waits; it may ask for the next read
            }
            else
            {
                _read.SetException(broken);
            }
        }
    }
}
