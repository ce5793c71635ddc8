using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Cli.Lines;

/// <summary>Reads a stream whose reads block, on a separate thread. The code that awaits a read continues on that thread.</summary>
/// <remarks>
/// On the thread pool, a thread would have to be woken for each read, and another one for the code that awaits it. That code must not block, since nothing is
/// read meanwhile.
/// </remarks>
internal sealed class SourceStream : Stream, IValueTaskSource<int>
{
    /// <summary>The stream that is read. Only the thread uses it.</summary>
    private readonly Stream _source;

    /// <summary>Released once for each read that is requested.</summary>
    private readonly SemaphoreSlim _asked = new(0);

    /// <summary>The memory that receives the bytes. Valid from the request of a read until the read has completed.</summary>
    private Memory<byte> _room;

    /// <summary>The completion of the read. There is at most one read at a time.</summary>
    private ManualResetValueTaskSourceCore<int> _read;

    /// <summary>Whether a read has been requested and has not completed.</summary>
    private bool _isReading;

    /// <param name="source">The stream to read. No other code may use it from now on.</param>
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

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream can only be read asynchronously.");

    /// <remarks>A read that has begun cannot be cancelled.</remarks>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Debug.Assert(!_isReading, "There is at most one read at a time.");
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
                _read.SetResult(count); // runs the code that awaits the read; it may request the next one
            }
            else
            {
                _read.SetException(broken);
            }
        }
    }
}
