using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The sending half of a connection as a pipe writer: what was written and what is passed to <see cref="WriteAsync"/> leave in one call.</summary>
/// <remarks>
/// A send that fails completes the writer (<see cref="FlushResult.IsCompleted"/>) and never throws: a peer that went away is expected.
/// <code>
///   none ──flush──► done at once
///     └─────flush──► armed ──the channel's readiness──► sends on, armed again or done
///                      └────a cancellation────────────► cancelled; the writer has failed
/// </code>
/// A cancellation counts only where the flush waits. It leaves bytes behind, of which some may lie in a source that is the caller's again: nothing can follow
/// them in order, so every later flush finds the writer completed. How flag and arming meet is said at <see cref="ConnectionReader"/>.
/// </remarks>
internal sealed class ConnectionWriter(Channel channel) : PipeWriter, IValueTaskSource<FlushResult>
{
    /// <summary>The flush that is armed. Valid between <c>Reset</c> and the end of that flush.</summary>
    private ManualResetValueTaskSourceCore<FlushResult> _signal;

    /// <summary>What was written and not flushed, or is being sent; null where there is nothing. Owner, or the one that was called for it.</summary>
    private byte[]? _buffer;

    /// <summary>Bytes of the buffer that the channel has taken.</summary>
    private int _sent;

    /// <summary>Bytes of the buffer that were written.</summary>
    private int _written;

    /// <summary>What follows the buffer. Valid until its flush is over.</summary>
    private ReadOnlyMemory<byte> _source;

    /// <summary>1 from a cancellation until a flush that waits has found it. Any thread.</summary>
    private int _cancelRequested;

    /// <summary>No more bytes are taken. Never reset.</summary>
    private bool _failed;

    /// <summary>See <see cref="SentBytes"/>.</summary>
    private long _sentBytes;

    /// <summary>Bytes that the channel has taken so far. From any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>
    /// Bytes that have reached the peer's system, as far as this one says; else <see cref="SentBytes"/>. Only for comparing. From any thread.
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

    /// <summary>Sends what is pending and then <paramref name="source"/>, which must stay untouched until this completes.</summary>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Debug.Assert(_source.IsEmpty, "One flush at a time.");
        _source = source;
        return SendAsync();
    }

    /// <summary>Ends the flush that waits, or the next one that has to. From any thread.</summary>
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

    /// <summary>Waits for the channel's first readiness to send: the outcome of a connect.</summary>
    public async ValueTask WaitWritableAsync()
    {
        _signal.Reset();
        if (channel.Writing.Arm())
        {
            await new ValueTask<FlushResult>(this, _signal.Version).ConfigureAwait(false);
        }
    }

    /// <summary>Called by the channel for the flush that was armed.</summary>
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

    /// <summary>The connection is closed: gives the buffer back. What was not sent never will be.</summary>
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

    /// <summary>Goes on, after a try that left something to send, until there is a result or the flush is armed.</summary>
    /// <returns>True where there is a result; false where the flush is armed, and belongs to whoever disarms it.</returns>
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

        // A cancellation that came before the flush was armed found nothing to wake.
        if (Volatile.Read(ref _cancelRequested) != 0 && channel.Writing.Disarm())
        {
            result = TakeCancellation();
            return true;
        }

        result = default;
        return false;
    }

    /// <summary>True when armed; false when a readiness was taken instead: it is taken before the next try, and what comes meanwhile sets it anew.</summary>
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

    /// <summary>Sends as much as the channel takes; true when nothing is left to send, or no more can be.</summary>
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

    /// <summary>The flush was disarmed by the caller. What it leaves behind is dropped, and nothing follows it.</summary>
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
