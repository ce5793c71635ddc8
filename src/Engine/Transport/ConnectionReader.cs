using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The receiving half of a connection, as a pipe reader without a pipe. It holds no buffer while it waits, and it can be watched.</summary>
/// <remarks>
/// A buffer is rented when something can be received, and returned once its last byte is consumed. Unconsumed bytes always lie in one segment: if they do not
/// fit, they are moved to a larger buffer. So a head can be parsed in place. A <see cref="SequencePosition"/> is valid until the next read.
/// <para>Only the owner reads. The states of a read:</para>
/// <code>
///   none ──ReadAsync──► done at once
///     └─────ReadAsync──► armed ──readiness from the channel, or a cancellation──► done
/// </code>
/// A cancellation sets its flag and then disarms. A read arms and then checks the flag, every time it arms. To arm and to disarm is an interlocked operation,
/// so at least one of the two sees what the other did. The thread that disarms a read completes it. If no read is pending, the cancellation ends the next one.
/// </remarks>
internal sealed class ConnectionReader(Channel channel) : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>
    /// If one receive has taken this many bytes and more are there, the thread serves other connections before the next receive. To relay so many bytes takes
    /// about 50 µs.
    /// </summary>
    private const int FairShareBytes = Buffers.Large;

    /// <summary>
    /// Completes the armed read; the result says whether it was cancelled. Valid from <c>Reset</c> until the owner takes the result. The bytes of the result
    /// are in the fields below, which nobody changes between completion and that moment.
    /// </summary>
    private ManualResetValueTaskSourceCore<bool> _signal;

    /// <summary>Holds the unconsumed bytes; null if there are none. Used by the owner; while a read is armed, by the thread that reports readiness.</summary>
    private byte[]? _buffer;

    /// <summary>Index of the first unconsumed byte in the buffer.</summary>
    private int _start;

    /// <summary>Index after the last byte received.</summary>
    private int _end;

    /// <summary>Index after the last byte that the owner has examined. If it equals <c>_end</c>, a read must receive more bytes.</summary>
    private int _examined;

    /// <summary>The size for the next buffer, learned from the last receive; 0 for the smallest.</summary>
    private int _nextSize;

    /// <summary>1 from a cancellation until a read reports it in its result. Set by any thread.</summary>
    private int _cancelRequested;

    /// <summary>The last receive took a large amount and left more, so other connections are served before the next one.</summary>
    private bool _leavesOthersATurn;

    /// <summary>The end has been received, or the connection was closed. From now on every read is completed.</summary>
    private bool _completed;

    /// <summary>The end was not orderly. Valid once <c>_completed</c> is true.</summary>
    private bool _faulted;

    /// <summary>The watch is also called for bytes. Written before <see cref="_watch"/>.</summary>
    private bool _watchForBytes;

    /// <summary>The watch to call, at most once; null for none. Taken by exchange.</summary>
    private IConnectionWatch? _watch;

    /// <summary>The peer has ended its side. Bytes may still be unread.</summary>
    public bool PeerEnded => channel.PeerEnded;

    /// <summary>The end was a reset, an abort or another error. Valid once a read has completed. May make a system call.</summary>
    public bool EndedByFault => _faulted || channel.WasReset;

    /// <summary>A buffer is rented now. For tests.</summary>
    public bool HoldsBuffer => _buffer is not null;

    /// <summary>Checks what has arrived while nothing is expected. Only for the owner, while it neither reads nor holds the result of a read.</summary>
    /// <param name="asksSystem">
    /// Whether the system is asked in any case. If false, it is asked only if it may know something that has not been reported to the connection.
    /// </param>
    public Arrival Look(bool asksSystem)
    {
        Debug.Assert(!channel.Reading.IsArmed, "Nobody reads while the owner looks.");
        return _end > _start ? Arrival.Bytes
            : _completed || channel.PeerEnded ? Arrival.End
            : channel.Look(asksSystem);
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Debug.Assert(!channel.Reading.IsArmed, "One read at a time.");
        if (_leavesOthersATurn && _end == _examined && channel.Reading.Take())
        {
            _leavesOthersATurn = false;
            return WaitForTurn();
        }

        return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : Wait();
    }

    public override bool TryRead(out ReadResult result)
    {
        bool canceled = TakeCancellation();
        if (!canceled && _end == _examined && !_completed && !(channel.Reading.Take() && TryReceive()))
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

        Debug.Assert(!channel.Reading.IsArmed, "A result is advanced before the next read.");
        Debug.Assert(consumed.GetObject() == _buffer && examined.GetObject() == _buffer, "A position is good until the next read.");
        _start = consumed.GetInteger();
        _examined = examined.GetInteger();
        Debug.Assert(_start <= _examined && _examined <= _end, "Consumed, examined, received, in this order.");
        if (_start == _end)
        {
            ReturnBuffer();
        }
    }

    /// <summary>Cancels the pending read, or the next one. From any thread; several cancellations before one read count as one.</summary>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelRequested, 1);
        if (channel.Reading.Disarm())
        {
            Volatile.Write(ref _cancelRequested, 0);
            _signal.SetResult(true);
        }
    }

    /// <summary>Does nothing: the connection is closed as a whole.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Starts a watch. Allowed at any time, also during a read. If the peer has ended already, the watch is called before this returns.</summary>
    /// <param name="watch">The watch to call.</param>
    /// <param name="forBytes">Whether the watch is also called for bytes, which an idle connection does not expect. Then nobody may be reading.</param>
    public void Watch(IConnectionWatch watch, bool forBytes)
    {
        Debug.Assert(!(forBytes && channel.Reading.IsArmed), "Bytes that somebody waits for are not unexpected.");
        _watchForBytes = forBytes;
        channel.OnWatchStarted();
        Interlocked.Exchange(ref _watch, watch);
        if (channel.PeerEnded)
        {
            TellPeerEnded();
        }
        else if (forBytes && (_end > _start || channel.Reading.IsReady))
        {
            switch (Look(asksSystem: true))
            {
                case Arrival.End:
                    TellPeerEnded();
                    break;
                case Arrival.Bytes:
                    TellUnexpectedBytes(watch);
                    break;
            }
        }
    }

    /// <summary>Ends the watch. Its callback may still be running on another thread.</summary>
    public void Unwatch() => Volatile.Write(ref _watch, null);

    /// <summary>Called by the channel to complete the armed read.</summary>
    public void OnReadable()
    {
        bool canceled = false;
        if (TryReceive() || ReceiveOrArm(out canceled))
        {
            _signal.SetResult(canceled);
        }
    }

    /// <summary>The watch, if it is also called for bytes; otherwise null.</summary>
    public IConnectionWatch? WatchForBytes => Volatile.Read(ref _watch) is { } watch && _watchForBytes ? watch : null;

    /// <summary>Tells the watch, if any, that the peer has ended its side. Called by the channel.</summary>
    public void TellPeerEnded() => Interlocked.Exchange(ref _watch, null)?.OnPeerEnded();

    /// <summary>Tells a watch, if it is still set, that bytes have arrived that no read waits for. Called by the channel.</summary>
    /// <param name="watch">The watch that was set when the bytes arrived. A later watch must not be told: the bytes may have been read since.</param>
    public void TellUnexpectedBytes(IConnectionWatch watch)
    {
        if (Interlocked.CompareExchange(ref _watch, null, watch) == watch)
        {
            watch.OnUnexpectedBytes();
        }
    }

    /// <summary>The heartbeat must ask <see cref="MayHideEnd"/> at each beat.</summary>
    public bool MustAskForEnd => channel.MustAskForEnd;

    /// <summary>
    /// There is a watch, and bytes that do not fit the channel's buffer may hide the peer's end. Then <see cref="LookForEnd"/> must be called.
    /// </summary>
    public bool MayHideEnd => Volatile.Read(ref _watch) is not null && channel.MayHideEnd;

    /// <summary>
    /// If there is a watch, checks whether the peer has ended behind bytes that do not fit the channel's buffer. May call a host program's code.
    /// </summary>
    public void LookForEnd()
    {
        if (Volatile.Read(ref _watch) is not null)
        {
            channel.LookForEnd();
        }
    }

    /// <summary>Called when the connection is closed: returns the buffer. From now on reads find the end.</summary>
    public void Release()
    {
        _faulted |= !_completed;
        _completed = true;
        _watch = null;
        ReturnBuffer();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => Result(isCanceled: _signal.GetResult(token));

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    private ValueTask<ReadResult> Wait()
    {
        _signal.Reset();
        return ReceiveOrArm(out bool canceled) ? new ValueTask<ReadResult>(Result(canceled)) : new ValueTask<ReadResult>(this, _signal.Version);
    }

    /// <summary>Lets the thread serve other connections before it receives the available bytes. The caller has taken the readiness.</summary>
    private ValueTask<ReadResult> WaitForTurn()
    {
        if (channel.TryWaitForTurn())
        {
            return Wait();
        }

        channel.Reading.Keep();
        return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : Wait();
    }

    /// <summary>Tries to receive until there is a result or the read is armed.</summary>
    /// <param name="canceled">Whether the result is a cancellation.</param>
    /// <returns>True if there is a result. False if the read is armed; then the thread that disarms it completes it.</returns>
    private bool ReceiveOrArm(out bool canceled)
    {
        canceled = false;
        while (!channel.Reading.Arm())
        {
            if (channel.Reading.Take() && TryReceive())
            {
                return true;
            }
        }

        // A cancellation that came before the read was armed could not complete it.
        if (Volatile.Read(ref _cancelRequested) != 0 && channel.Reading.Disarm())
        {
            Volatile.Write(ref _cancelRequested, 0);
            canceled = true;
        }

        return canceled;
    }

    private bool TakeCancellation() => Volatile.Read(ref _cancelRequested) != 0 && Interlocked.Exchange(ref _cancelRequested, 0) != 0;

    /// <summary>Receives into the buffer. Returns false if nothing was there.</summary>
    private bool TryReceive()
    {
        bool hasResult = TryReceiveOnce(out bool isFull);
#if DEBUG
        // Debug buffers are tiny. So several receives, each into a larger buffer, bring the bytes that one receive would bring in Release.
        const int realBufferBytes = 4 * 1024;
        while (isFull && _end - _start < realBufferBytes && channel.Reading.Take() && TryReceiveOnce(out isFull))
        {
        }
#endif
        return hasResult;
    }

    /// <param name="isFull">The free space was filled, so more may be there.</param>
    private bool TryReceiveOnce(out bool isFull)
    {
        Debug.Assert(!_completed, "Nothing is received behind the end.");
        MakeRoom();
        int room = _buffer!.Length - _end;
        int received = channel.Receive(_buffer.AsSpan(_end));
        Debug.Assert(received <= room, "No more than there is room for.");
        isFull = received == room;
        if (received > 0)
        {
            _end += received;
            Learn(received, room);
            return true;
        }

        if (_start == _end)
        {
            ReturnBuffer();
        }

        if (received == Channel.WouldBlock)
        {
            return false;
        }

        _completed = true;
        _faulted = received == Channel.Broken || channel.IsAborted;
        return true;
    }

    /// <summary>Chooses the next buffer's size. If the buffer was filled, more bytes are there, and a larger buffer may be better.</summary>
    private void Learn(int received, int room)
    {
        if (received == room)
        {
            _nextSize = Buffers.Larger(_buffer!.Length);
            channel.Reading.Keep();
            _leavesOthersATurn = room >= Math.Min(FairShareBytes, Buffers.LargestNow);
            return;
        }

        _leavesOthersATurn = false;
        if (received < _buffer!.Length / 8)
        {
            _nextSize = Buffers.Smaller(_buffer.Length);
        }

        if (channel.PeerEnded || channel.StopsShort)
        {
            // The peer's end came with these bytes, or more bytes are there. No further event reports that.
            channel.Reading.Keep();
        }
    }

    /// <summary>Makes sure that the buffer has room for at least one byte.</summary>
    private void MakeRoom()
    {
        int wanted = Math.Min(_nextSize, Buffers.LargestNow);
        if (_buffer is null)
        {
            _buffer = Buffers.Rent(wanted);
            return;
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        byte[] full = _buffer;
        int unconsumed = _end - _start;
        // The size is bounded, because the owner limits how many bytes it leaves unconsumed.
        _buffer = Buffers.Rent(Math.Max(wanted, unconsumed * 2));
        full.AsSpan(_start, unconsumed).CopyTo(_buffer);
        _examined -= _start;
        _start = 0;
        _end = unconsumed;
        Buffers.Return(full);
    }

    private void ReturnBuffer()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            _start = _end = _examined = 0;
            Buffers.Return(buffer);
        }
    }

    private ReadResult Result(bool isCanceled) =>
        new(_buffer is null ? default : new ReadOnlySequence<byte>(_buffer, _start, _end - _start), isCanceled, _completed);
}
