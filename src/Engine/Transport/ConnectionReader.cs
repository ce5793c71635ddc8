using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>The receiving half of a connection as a pipe reader: no pipe behind it, and no buffer while it waits. It can also be watched.</summary>
/// <remarks>
/// A buffer is rented when something can be received and given back as soon as its last byte is consumed. Unconsumed bytes always lie in one segment: where
/// they outgrow the buffer they are moved to a larger one, so a head is parsed where it lies. A position is good until the next read.
/// <para>One owner reads. A read is in one of these states:</para>
/// <code>
///   none ──ReadAsync──► done at once
///     └─────ReadAsync──► armed ──the channel's readiness, or a cancellation──► done
/// </code>
/// A cancellation sets its flag and then disarms; a read arms and then looks at the flag, each time that it arms. Both steps are interlocked, so one of the
/// two sees the other, and the one that disarms ends the read. A cancellation that finds no read is found by the next one.
/// </remarks>
internal sealed class ConnectionReader(Channel channel) : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>A read of this many bytes after which more are there lets the others of its thread go first: some 50 µs of work.</summary>
    private const int FairShareBytes = Buffers.Large;

    /// <summary>The read that is armed. Valid between <c>Reset</c> and the end of that read.</summary>
    private ManualResetValueTaskSourceCore<ReadResult> _signal;

    /// <summary>The unconsumed bytes; null where there are none. Owner, or the one that was called for it.</summary>
    private byte[]? _buffer;

    /// <summary>The first unconsumed byte in the buffer.</summary>
    private int _start;

    /// <summary>Behind the last byte received.</summary>
    private int _end;

    /// <summary>Behind the last byte that the owner has seen: a read waits where this is the end.</summary>
    private int _examined;

    /// <summary>What the last receive has taught about the next buffer's size; 0 for the smallest.</summary>
    private int _nextSize;

    /// <summary>1 from a cancellation until a read has found it. Any thread.</summary>
    private int _cancelRequested;

    /// <summary>The last receive has taken much and left more: the next read waits for its turn.</summary>
    private bool _leavesOthersATurn;

    /// <summary>The end has been received: every read from now on is completed.</summary>
    private bool _completed;

    /// <summary>The end was not an orderly one. Valid once completed.</summary>
    private bool _faulted;

    /// <summary>The watch is told of bytes too. Written before <see cref="_watch"/>.</summary>
    private bool _watchForBytes;

    /// <summary>Whom to tell, once; null for nobody. Taken by exchange.</summary>
    private IConnectionWatch? _watch;

    /// <summary>The peer was seen to end its side, though bytes may still be unread.</summary>
    public bool PeerEnded => channel.PeerEnded;

    /// <summary>The end was a reset, an abort or another error, not an orderly one. Meaningful once a read has completed. It may ask the system.</summary>
    public bool EndedByFault => _faulted || channel.WasReset;

    /// <summary>For tests.</summary>
    public bool HoldsBuffer => _buffer is not null;

    /// <summary>Looks what has come by now, where nothing is expected; only for the owner, without a watch and while no result is held.</summary>
    /// <param name="asksSystem">Ask the system in any case; else only where it may have something that this connection has not been told.</param>
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

    /// <summary>Ends the read that waits, or the next one. From any thread; several before one read count as one.</summary>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelRequested, 1);
        if (channel.Reading.Disarm())
        {
            Volatile.Write(ref _cancelRequested, 0);
            _signal.SetResult(Result(isCanceled: true));
        }
    }

    /// <summary>Does nothing: the connection is closed as a whole.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Starts a watch, at any time, also while the owner reads. Where the peer has ended already, the watch is told before this returns.</summary>
    /// <param name="watch">Whom to tell.</param>
    /// <param name="forBytes">Tell of any byte too: on an idle connection none is expected. Only while nobody reads.</param>
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

    /// <summary>Ends the watch. One call of it may be under way on another thread.</summary>
    public void Unwatch() => Volatile.Write(ref _watch, null);

    /// <summary>Called by the channel for the read that was armed.</summary>
    public void OnReadable()
    {
        bool canceled = false;
        if (TryReceive() || ReceiveOrArm(out canceled))
        {
            _signal.SetResult(Result(canceled));
        }
    }

    /// <summary>The watch that is to be told of bytes; null where there is none.</summary>
    public IConnectionWatch? WatchForBytes => Volatile.Read(ref _watch) is { } watch && _watchForBytes ? watch : null;

    /// <summary>Tells the watch, if there is one, that the peer has ended its side. Called by the channel.</summary>
    public void TellPeerEnded() => Interlocked.Exchange(ref _watch, null)?.OnPeerEnded();

    /// <summary>Tells a watch that bytes have come which no read waits for, if it is still on. Called by the channel.</summary>
    /// <param name="watch">The watch that was on when the bytes came: a later one must not be told of bytes that have been read since.</param>
    public void TellUnexpectedBytes(IConnectionWatch watch)
    {
        if (Interlocked.CompareExchange(ref _watch, null, watch) == watch)
        {
            watch.OnUnexpectedBytes();
        }
    }

    /// <summary>Looks whether the peer has ended behind bytes that cannot be received yet, while there is a watch. From the heartbeat.</summary>
    public void LookForEnd()
    {
        if (Volatile.Read(ref _watch) is not null)
        {
            channel.LookForEnd();
        }
    }

    /// <summary>The connection is closed: gives the buffer back. Reads from now on find the end.</summary>
    public void Release()
    {
        _faulted |= !_completed;
        _completed = true;
        _watch = null;
        ReturnBuffer();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    private ValueTask<ReadResult> Wait()
    {
        _signal.Reset();
        return ReceiveOrArm(out bool canceled) ? new ValueTask<ReadResult>(Result(canceled)) : new ValueTask<ReadResult>(this, _signal.Version);
    }

    /// <summary>Leaves the bytes that are there until the others have been served. The readiness has been taken.</summary>
    private ValueTask<ReadResult> WaitForTurn()
    {
        if (channel.TryWaitForTurn())
        {
            return Wait();
        }

        channel.Reading.Keep();
        return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : Wait();
    }

    /// <summary>Goes on until there is a result or the read is armed.</summary>
    /// <param name="canceled">The result is a cancellation.</param>
    /// <returns>True where there is a result; false where the read is armed, and belongs to whoever disarms it.</returns>
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

        // A cancellation that came before the read was armed found nothing to wake.
        if (Volatile.Read(ref _cancelRequested) != 0 && channel.Reading.Disarm())
        {
            Volatile.Write(ref _cancelRequested, 0);
            canceled = true;
        }

        return canceled;
    }

    private bool TakeCancellation() => Volatile.Read(ref _cancelRequested) != 0 && Interlocked.Exchange(ref _cancelRequested, 0) != 0;

    /// <summary>Receives what there is into the buffer; false when there is nothing after all.</summary>
    private bool TryReceive()
    {
        bool hasResult = TryReceiveOnce(out bool isFull);
#if DEBUG
        // Buffers are tiny in Debug: what one receive would have brought comes in several, each into a larger buffer.
        const int realBufferBytes = 4 * 1024;
        while (isFull && _end - _start < realBufferBytes && channel.Reading.Take() && TryReceiveOnce(out isFull))
        {
        }
#endif
        return hasResult;
    }

    /// <param name="isFull">The room was filled, so that more may be there.</param>
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

    /// <summary>A full buffer means that more is there, and that the next buffer may well be larger.</summary>
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
            // The end came with these bytes, or more of them are there: no event will announce either again.
            channel.Reading.Keep();
        }
    }

    /// <summary>Makes the buffer have room for one byte at least.</summary>
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
        _buffer = Buffers.Rent(Math.Max(wanted, unconsumed * 2)); // bounded by the owner, which leaves no more unconsumed than a limit of its own allows
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
