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
/// A cancellation has an effect only if the flush waits. It leaves unsent bytes behind, some of them perhaps in a source that belongs to the caller again.
/// Nothing can follow them in order, so every later flush finds the writer completed. For the order of flag and arming, see <see cref="ConnectionReader"/>.
/// </remarks>
internal sealed class ConnectionWriter(Channel channel) : PipeWriter, IValueTaskSource<FlushResult>
{
    /// <summary>The completion of the armed flush. Valid from <c>Reset</c> until that flush ends.</summary>
    private ManualResetValueTaskSourceCore<FlushResult> _signal;

    /// <summary>Bytes that were written and not yet sent; null if there are none. Used by the owner, and by the channel's call for an armed flush.</summary>
    private byte[]? _buffer;

    /// <summary>How many bytes of the buffer the channel has taken.</summary>
    private int _sent;

    /// <summary>How many bytes of the buffer were written.</summary>
    private int _written;

    /// <summary>The bytes to send after the buffer. Valid until their flush has ended.</summary>
    private ReadOnlyMemory<byte> _source;

    /// <summary>1 from a cancellation until a waiting flush sees it. Set by any thread.</summary>
    private int _cancelRequested;

    /// <summary>No more bytes are sent. Never reset.</summary>
    private bool _failed;

    /// <summary>See <see cref="SentBytes"/>.</summary>
    private long _sentBytes;

    /// <summary>The bytes that the channel has taken so far. From any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>
    /// The bytes that the peer's system has acknowledged, if the local system reports that; otherwise <see cref="SentBytes"/>. Only for comparison. From any
    /// thread.
    /// </summary>
    public long CountDelivered() => channel.CountDelivered(SentBytes);

    /// <summary>For tests.</summary>
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

    /// <summary>Waits for the channel's first readiness to send, which is the outcome of a connect.</summary>
    public async ValueTask WaitWritableAsync()
    {
        _signal.Reset();
        if (channel.Writing.Arm())
        {
            await new ValueTask<FlushResult>(this, _signal.Version).ConfigureAwait(false);
        }
    }

    /// <summary>Called by the channel to complete the armed flush.</summary>
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

        // A cancellation before the flush was armed found nothing to wake.
        if (Volatile.Read(ref _cancelRequested) != 0 && channel.Writing.Disarm())
        {
            result = TakeCancellation();
            return true;
        }

        result = default;
        return false;
    }

    /// <summary>True if armed. False if a readiness was taken instead; it is taken before the next try, and a later event sets it again.</summary>
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

    /// <summary>Sends as much as the channel takes. True if nothing is left to send, or no more can be sent.</summary>
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

    /// <summary>The caller has disarmed the flush. Unsent bytes are dropped, and nothing may follow them.</summary>
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
