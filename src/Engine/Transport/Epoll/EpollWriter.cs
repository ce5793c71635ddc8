using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The sending half of a connection as a pipe writer: what was written and what is passed to <see cref="WriteAsync"/> leave in one call, uncopied.</summary>
/// <remarks>A send that fails completes the writer (<see cref="FlushResult.IsCompleted"/>) and never throws: a peer that went away is expected.</remarks>
internal sealed class EpollWriter(EpollSocket socket) : PipeWriter, IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<FlushResult> _signal;
    private byte[]? _buffer;
    private int _sent;
    private int _written;
    private ReadOnlyMemory<byte> _source;
    private int _cancelRequested;
    private bool _failed;

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

    public override void Advance(int bytes) => _written += bytes;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => SendAsync();

    /// <summary>Sends what is pending and then <paramref name="source"/>, which must stay untouched until this completes.</summary>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        _source = source;
        return SendAsync();
    }

    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _cancelRequested, 1);
        if (socket.DisarmWrite())
        {
            _signal.SetResult(TakeCancellation());
        }
    }

    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Waits for the descriptor's first writability: the outcome of its connect.</summary>
    public async ValueTask WaitWritableAsync()
    {
        _signal.Reset();
        if (socket.ArmWrite())
        {
            await new ValueTask<FlushResult>(this, _signal.Version).ConfigureAwait(false);
        }
    }

    /// <summary>Called on the loop's thread for the one who waits.</summary>
    public void OnWritable()
    {
        if (TrySend() || !ArmOrSend())
        {
            _signal.SetResult(Result());
        }
    }

    /// <summary>Gives the buffer back; whatever was not sent never will be.</summary>
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
        if (TrySend())
        {
            return new ValueTask<FlushResult>(Result());
        }

        _signal.Reset();
        if (!ArmOrSend())
        {
            return new ValueTask<FlushResult>(Result());
        }

        if (Volatile.Read(ref _cancelRequested) != 0 && socket.DisarmWrite())
        {
            return new ValueTask<FlushResult>(TakeCancellation());
        }

        return new ValueTask<FlushResult>(this, _signal.Version);
    }

    /// <summary>True when armed; false when all was sent after all.</summary>
    private bool ArmOrSend()
    {
        while (!socket.ArmWrite())
        {
            // The readiness is cleared before the call: what comes meanwhile sets it anew.
            if (socket.TakeWriteReady() && TrySend())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Sends as much as the system takes; true when nothing is left to send, or no more can be.</summary>
    private bool TrySend()
    {
        while (!_failed && (_written > _sent || !_source.IsEmpty))
        {
            nint sent = SendOnce();
            if (sent < 0)
            {
                int error = Libc.LastError;
                if (error == Libc.EAgain)
                {
                    return false;
                }

                _failed |= error != Libc.EIntr;
                continue;
            }

            TakeSent((int)sent);
        }

        Clear();
        return true;
    }

    private unsafe nint SendOnce()
    {
        int pending = _written - _sent;
        fixed (byte* source = _source.Span, start = _buffer is null ? default : _buffer.AsSpan(_sent))
        {
            return pending == 0 ? Libc.Send(socket.Fd, source, _source.Length)
                : _source.IsEmpty ? Libc.Send(socket.Fd, start, pending)
                : Libc.Send(socket.Fd, start, pending, source, _source.Length);
        }
    }

    private void TakeSent(int sent)
    {
        int fromBuffer = Math.Min(sent, _written - _sent);
        _sent += fromBuffer;
        _source = _source[(sent - fromBuffer)..];
    }

    private void MakeRoom(int room)
    {
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
        _buffer = Buffers.Rent(_written + room);
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

    private FlushResult TakeCancellation()
    {
        Volatile.Write(ref _cancelRequested, 0);
        return new FlushResult(isCanceled: true, isCompleted: _failed);
    }

    private FlushResult Result() => new(isCanceled: false, isCompleted: _failed);
}
