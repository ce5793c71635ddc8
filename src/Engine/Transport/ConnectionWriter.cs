using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The sending half of a connection, as a pipe writer. Written bytes and those passed to <see cref="WriteAsync"/> are sent in one call.</summary>
/// <remarks>
/// A failed send completes the writer (<see cref="FlushResult.IsCompleted"/>) and never throws: peers that disconnect are expected.
/// <code>
///   none ──flush──► done at once
///     └─────flush──► armed ──readiness from the channel──► sends more, armed again or done
///                      └────a cancellation────────────► cancelled; the writer has failed
/// </code>
/// A cancellation has an effect only if the flush waits. It drops the unsent bytes, because the caller may reuse the memory that some of them are in. Bytes
/// that were sent later would follow a gap, so every later flush finds the writer completed. The flag of a cancellation and the arming are ordered as in
/// <see cref="ConnectionReader"/>.
/// </remarks>
internal sealed class ConnectionWriter(Channel channel) : PipeWriter, IValueTaskSource<FlushResult>
{
    /// <summary>Completes the armed flush. Valid from <c>Reset</c> until that flush ends.</summary>
    private ManualResetValueTaskSourceCore<FlushResult> _signal;

    /// <summary>
    /// Holds the bytes that were written and not yet sent; null if there are none. Used by the owner; while a flush is armed, by the thread that reports
    /// readiness.
    /// </summary>
    private byte[]? _buffer;

    /// <summary>How many bytes of the buffer have been sent.</summary>
    private int _sent;

    /// <summary>How many bytes of the buffer were written.</summary>
    private int _written;

    /// <summary>The bytes that <see cref="WriteAsync"/> has to send after those in the buffer. Valid until that flush has ended.</summary>
    private ReadOnlyMemory<byte> _source;

    /// <summary>1 from a cancellation until a waiting flush sees it. Set by any thread.</summary>
    private int _cancelRequested;

    /// <summary>A send has failed, a flush was cancelled, or the connection was closed. No more bytes are sent. Never reset.</summary>
    private bool _failed;

    /// <summary>See <see cref="SentBytes"/>.</summary>
    private long _sentBytes;

    /// <summary>The number of bytes that the channel has taken so far. From any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>
    /// The number of bytes that the peer's system has acknowledged, if the local system reports that; otherwise <see cref="SentBytes"/>. Good only for a
    /// comparison with an earlier value: with TLS, the system counts encrypted bytes. From any thread.
    /// </summary>
    public long CountDelivered() => channel.CountDelivered(SentBytes);

    /// <summary>A buffer is rented now. For tests.</summary>
    public bool HoldsBuffer => _buffer is not null;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written - _sent;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_written);
    }

    public override void Advance(int bytes)
    {
        Debug.Assert(bytes >= 0 && (bytes == 0 || bytes <= _buffer!.Length - _written), "No more than there was room for.");
        _written += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => SendAsync();

    /// <summary>Sends the pending bytes and then <paramref name="source"/>, which must not change until this completes.</summary>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Debug.Assert(_source.IsEmpty, "One flush at a time.");
        _source = source;
        return SendAsync();
    }

    /// <summary>Cancels the waiting flush, or the next one that has to wait. From any thread.</summary>
    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _cancelRequested, 1);
        if (channel.Writing.Disarm())
        {
            _signal.SetResult(TakeCancellation());
        }
    }

    /// <summary>Does nothing: the connection is closed as a whole.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Waits until the channel reports for the first time that it can send: then its connect has succeeded or failed.</summary>
    public async ValueTask WaitWritableAsync()
    {
        _signal.Reset();
        if (channel.Writing.Arm())
        {
            await new ValueTask<FlushResult>(this, _signal.Version).ConfigureAwait(false);
        }
    }

    /// <summary>Called by the channel when the armed flush can continue.</summary>
    public void OnWritable()
    {
        if (TrySend())
        {
            _signal.SetResult(Result());
        }
        else if (SendOrArm(out FlushResult result))
        {
            _signal.SetResult(result);
        }
    }

    /// <summary>Called when the connection is closed: returns the buffer. Unsent bytes are dropped.</summary>
    public void Release()
    {
        _failed = true;
        Clear();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    private ValueTask<FlushResult> SendAsync()
    {
        Debug.Assert(!channel.Writing.IsArmed, "One flush at a time.");
        if (TrySend())
        {
            return new ValueTask<FlushResult>(Result());
        }

        _signal.Reset();
        return SendOrArm(out FlushResult result) ? new ValueTask<FlushResult>(result) : new ValueTask<FlushResult>(this, _signal.Version);
    }

    /// <summary>After a try that left something unsent, tries again until there is a result or the flush is armed.</summary>
    /// <returns>True if there is a result. False if the flush is armed; then the thread that disarms it completes it.</returns>
    private bool SendOrArm(out FlushResult result)
    {
        while (!ArmOrTake())
        {
            if (TrySend())
            {
                result = Result();
                return true;
            }
        }

        // A cancellation that came before the flush was armed could not complete it.
        if (Volatile.Read(ref _cancelRequested) != 0 && channel.Writing.Disarm())
        {
            result = TakeCancellation();
            return true;
        }

        result = default;
        return false;
    }

    /// <summary>Arms the flush. Returns false if a readiness was set instead: then it has been taken, and the caller must try to send again.</summary>
    private bool ArmOrTake()
    {
        while (!channel.Writing.Arm())
        {
            if (channel.Writing.Take())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Sends until everything is sent, no more can be sent, or the channel takes no more for now. Returns false in the last case.</summary>
    private bool TrySend()
    {
        while (!_failed && (_written > _sent || !_source.IsEmpty))
        {
            int taken = channel.Send(_buffer is null ? default : _buffer.AsSpan(_sent, _written - _sent), _source);
            if (taken == Channel.WouldBlock)
            {
                return false;
            }

            if (taken == Channel.Broken)
            {
                _failed = true;
                break;
            }

            CountSent(taken);
        }

        Clear();
        return true;
    }

    private void CountSent(int taken)
    {
        Debug.Assert(taken <= _written - _sent + _source.Length, "No more than was shown.");
        int fromBuffer = Math.Min(taken, _written - _sent);
        _sent += fromBuffer;
        _source = _source[(taken - fromBuffer)..];
        Volatile.Write(ref _sentBytes, _sentBytes + taken);
    }

    private void MakeRoom(int room)
    {
        Debug.Assert(!channel.Writing.IsArmed, "Nothing is written while a flush is out.");
        if (_buffer is null)
        {
            _buffer = Buffers.Rent(room);
            return;
        }

        if (_buffer.Length - _written >= room)
        {
            return;
        }

        byte[] full = _buffer;
        _buffer = Buffers.Rent(Math.Max(_written + room, full.Length * 2));
        full.AsSpan(0, _written).CopyTo(_buffer);
        Buffers.Return(full);
    }

    private void Clear()
    {
        _source = default;
        _sent = _written = 0;
        if (_buffer is { } buffer)
        {
            _buffer = null;
            Buffers.Return(buffer);
        }
    }

    /// <summary>Ends a flush that the caller has disarmed. Unsent bytes are dropped, and the writer sends nothing afterwards.</summary>
    private FlushResult TakeCancellation()
    {
        Volatile.Write(ref _cancelRequested, 0);
        var result = new FlushResult(isCanceled: true, isCompleted: _failed);
        _failed = true;
        Clear();
        return result;
    }

    private FlushResult Result() => new(isCanceled: false, isCompleted: _failed);
}
