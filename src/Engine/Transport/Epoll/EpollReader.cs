using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The receiving half of a connection as a pipe reader: no pipe behind it, and no buffer while it waits.</summary>
/// <remarks>
/// A buffer is rented when the socket is readable and given back as soon as its last byte is consumed. Unconsumed bytes always lie in one
/// segment: where they outgrow the buffer they are moved to a larger one, so a head is parsed where it lies.
/// </remarks>
internal sealed class EpollReader(EpollSocket socket) : WatchedReader, IValueTaskSource<ReadResult>
{
    /// <summary>A read of this many bytes after which more are there lets the loop's other connections go first: some 50 µs of work.</summary>
    private const int FairShareBytes = 64 * 1024;

    private ManualResetValueTaskSourceCore<ReadResult> _signal;
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private int _examined;
    private int _nextSize;
    private int _cancelRequested;
    private bool _leavesOthersATurn;
    private bool _completed;
    private bool _faulted;
    private bool _watchForBytes;
    private uint _watchedInPass;
    private IConnectionWatch? _watch;

    public override bool PeerEnded => socket.PeerEnded;

    public override bool EndedByFault => _faulted;

    public override bool CanBeWatchedWhileRead => true;

    /// <summary>Asks the system, since an event that announces it may still be waiting in its batch.</summary>
    public override Arrival Look() => _end > _start ? Arrival.Bytes
        : socket.PeerEnded ? Arrival.End
        : socket.MayHaveUntoldEvents(_watchedInPass) ? Libc.Look(socket.Fd)
        : Arrival.Nothing;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_leavesOthersATurn && _end == _examined && socket.TakeReadReady())
        {
            _leavesOthersATurn = false;
            return WaitForTurn();
        }

        return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : Wait();
    }

    public override bool TryRead(out ReadResult result)
    {
        bool canceled = _cancelRequested != 0 && Interlocked.Exchange(ref _cancelRequested, 0) != 0;
        if (!canceled && _end == _examined && !_completed && !(socket.TakeReadReady() && TryReceive()))
        {
            result = default;
            return false;
        }

        result = Result(canceled);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_buffer is null)
        {
            return;
        }

        _start = consumed.GetInteger();
        _examined = examined.GetInteger();
        if (_start == _end)
        {
            Release();
        }
    }

    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelRequested, 1);
        if (socket.DisarmRead())
        {
            Volatile.Write(ref _cancelRequested, 0);
            _signal.SetResult(Result(isCanceled: true));
        }
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public override void Watch(IConnectionWatch watch, bool forBytes)
    {
        _watchForBytes = forBytes;
        _watchedInPass = socket.Pass;
        Interlocked.Exchange(ref _watch, watch);
        if (socket.PeerEnded)
        {
            OnUnawaited(ended: true);
        }
        else if (forBytes && (_end > _start || (socket.TakeReadReady() && TryReceive())))
        {
            OnUnawaited(_completed);
        }
    }

    public override void Unwatch() => Volatile.Write(ref _watch, null);

    /// <summary>Called on the loop's thread for the one who waits.</summary>
    public void OnReadable()
    {
        do
        {
            if (TryReceive())
            {
                _signal.SetResult(Result(isCanceled: false));
                return;
            }
        }
        while (!ArmOrTake());
    }

    /// <summary>Called when bytes or the end come and nobody reads.</summary>
    public void OnUnawaited(bool ended)
    {
        if (Volatile.Read(ref _watch) is null || !(ended || _watchForBytes))
        {
            return;
        }

        IConnectionWatch? watch = Interlocked.Exchange(ref _watch, null);
        if (ended)
        {
            watch?.OnPeerEnded();
        }
        else
        {
            watch?.OnBytesUnasked();
        }
    }

    /// <summary>Gives the buffer back.</summary>
    public void Release()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            _start = _end = _examined = 0;
            Buffers.Return(buffer);
        }
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    private ValueTask<ReadResult> Wait()
    {
        _signal.Reset();
        while (!ArmOrTake())
        {
            if (TryReceive())
            {
                return new ValueTask<ReadResult>(Result(isCanceled: false));
            }
        }

        // A cancellation that came before the read was armed found nothing to wake.
        if (Volatile.Read(ref _cancelRequested) != 0 && socket.DisarmRead())
        {
            Volatile.Write(ref _cancelRequested, 0);
            return new ValueTask<ReadResult>(Result(isCanceled: true));
        }

        return new ValueTask<ReadResult>(this, _signal.Version);
    }

    /// <summary>Leaves the bytes that are there until the loop has served the others. The readiness has been taken.</summary>
    private ValueTask<ReadResult> WaitForTurn()
    {
        if (!socket.TryWaitForTurn())
        {
            socket.KeepReadReady();
            return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : Wait();
        }

        return Wait();
    }

    /// <summary>True when armed; false when a readiness was taken instead.</summary>
    private bool ArmOrTake()
    {
        while (!socket.ArmRead())
        {
            if (socket.TakeReadReady())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Receives what there is into the buffer; false when there is nothing after all.</summary>
    private unsafe bool TryReceive()
    {
        MakeRoom();
        byte[] buffer = _buffer!;
        int room = buffer.Length - _end;
        nint received;
        int error;
        do
        {
            received = Libc.Receive(socket.Fd, (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer)) + _end, room);
            error = received < 0 ? Libc.LastError : 0;
        }
        while (error == Libc.EIntr);

        if (received > 0)
        {
            _end += (int)received;
            Learn((int)received, room);
            return true;
        }

        if (_start == _end)
        {
            Release();
        }

        if (error == Libc.EAgain)
        {
            return false;
        }

        _completed = true;
        _faulted = received < 0;
        return true;
    }

    /// <summary>A full buffer means that more is there, and that the next buffer may well be larger.</summary>
    private void Learn(int received, int room)
    {
        if (received == room)
        {
            _nextSize = Buffers.Larger(_buffer!.Length);
            socket.KeepReadReady();
            _leavesOthersATurn = room >= FairShareBytes;
            return;
        }

        _leavesOthersATurn = false;

        if (received < _buffer!.Length / 8)
        {
            _nextSize = Buffers.Smaller(_buffer.Length);
        }

        if (socket.PeerEnded)
        {
            // The end came with these bytes: no event will announce it again.
            socket.KeepReadReady();
        }
    }

    private void MakeRoom()
    {
        if (_buffer is null)
        {
            _buffer = Buffers.Rent(_nextSize);
            return;
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        byte[] full = _buffer;
        int unconsumed = _end - _start;
        _buffer = Buffers.Rent(Math.Max(_nextSize, unconsumed * 2));
        full.AsSpan(_start, unconsumed).CopyTo(_buffer);
        _examined -= _start;
        _start = 0;
        _end = unconsumed;
        Buffers.Return(full);
    }

    private ReadResult Result(bool isCanceled) =>
        new(_buffer is null ? default : new ReadOnlySequence<byte>(_buffer, _start, _end - _start), isCanceled, _completed);
}
