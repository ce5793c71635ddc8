using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport.Streams;

/// <summary>Makes something with asynchronous completions (a stream, a host program's pipe) usable as a channel that reports readiness.</summary>
/// <remarks>
/// <b>Receiving.</b> A loop is the only reader of the layer below. It waits without a buffer, fills a ring buffer, and gives readiness. While the ring has room
/// it continues to receive, so that it notices an end after unread bytes. When the ring is full, it waits until the reader has taken some bytes.
/// <code>
/// WaitForRoom ──► wait for bytes ──► fill ──► report ──┐        end or fault: report, once
/// ▲───────────────────────────────────────────────┘
/// </code>
/// The ring has one producer (the loop), one consumer (the reader) and no lock. <c>_use</c> counts the unread bytes, plus <see cref="Filling"/> while the loop
/// writes into the ring. The loop adds <see cref="Filling"/> before it writes. Afterwards, in one step, it subtracts <see cref="Filling"/> and adds the bytes
/// written. The reader subtracts bytes after it has copied them. The side that brings <c>_use</c> to zero returns the ring's buffer, through a reference that
/// it read before. So a loop that finds zero rents another buffer and leaves the old one to the side that emptied it.
/// <para><b>Sending.</b> At most one write is pending.
/// <see cref="Send"/> copies the bytes that it takes, so a cancelled flush or a close need not wait for the write.</para>
/// <code>
/// none ──Send──► done at once (none again)
/// ▲  └──Send──► pending ──completion──► ended ──Send──┐
/// └───────────────────────────────────────────────────┘
/// </code>
/// <para>
/// <b>Inline completions.</b> The layer below may complete on the calling thread, and a report may run the owner's code inline. Neither leads to recursion. A
/// receive wakes the loop as its last step. The owner is not waiting then, so the loop can only set a readiness. And while the loop reports to the owner, it is
/// not waiting for room, so a receive cannot wake it.
/// </para>
/// </remarks>
internal abstract class CompletionChannel : Channel, IValueTaskSource
{
    /// <summary>The most bytes in one write: about as many as a host program's pipe accepts before it makes the writer wait.</summary>
    private const int MaxPerWrite = Buffers.Large;

    /// <summary>The size of the ring: that of a TLS record. In Debug builds, where other buffers can be tiny, the most that a reader asks for.</summary>
#if DEBUG
    private const int RingBytes = Buffers.Largest;
#else
    private const int RingBytes = Buffers.Medium;
#endif

    /// <summary>Added to <see cref="_use"/> while the loop writes into the ring.</summary>
    private const int Filling = 1 << 30;

    private const int WriteNone = 0;
    private const int WritePending = 1;
    private const int WriteEnded = 2;

    /// <summary>
    /// The number of unread bytes, plus <see cref="Filling"/> while the loop writes; see the remarks. Changed by interlocked operations only.
    /// </summary>
    private int _use;

    /// <summary>The ring's buffer. Valid while <see cref="_use"/> is not zero. Written by the loop.</summary>
    private byte[]? _ring;

    /// <summary>The index in the ring of the next byte for the reader. The loop resets it when it rents a new ring.</summary>
    private int _takeAt;

    /// <summary>The index in the ring at which the loop writes next.</summary>
    private int _fillAt;

    /// <summary>Completes the loop's wait for room. Valid while <see cref="_waitsForRoom"/> is 1.</summary>
    private ManualResetValueTaskSourceCore<bool> _room;

    /// <summary>1 while the loop waits for room. A thread that wakes the loop, or looks for the end in its place, sets it to 0 by exchange.</summary>
    private int _waitsForRoom;

    /// <summary>The end of receiving was not orderly. Written by the loop before it reports the end.</summary>
    private bool _endedByFault;

    /// <summary>
    /// One of the three states of a write. Changed by the sender, except from pending to ended: that is done by the thread on which the write completes.
    /// </summary>
    private int _write;

    /// <summary>The number of bytes of the pending or ended write.</summary>
    private int _writeBytes;

    /// <summary>A write has failed, so no more are made. Written before <see cref="_write"/>.</summary>
    private bool _writeFailed;

    /// <summary>The channel was aborted or closed. The loop ends at its next step, and no more writes are made.</summary>
    protected bool IsStopping => IsAborted || IsClosed;

    /// <summary>A write has started and has not completed.</summary>
    protected bool IsWritePending => Volatile.Read(ref _write) == WritePending;

    /// <summary>A write has failed.</summary>
    protected bool HasWriteFailed => Volatile.Read(ref _writeFailed);

    /// <summary>A write is pending, has failed, or has ended without a report to the sender: the peer may have got incomplete data.</summary>
    protected bool IsWriteUnfinished => _writeFailed || Volatile.Read(ref _write) != WriteNone;

    public override int HeldBuffers => Volatile.Read(ref _use) == 0 ? 0 : 1;

    public override int Receive(Span<byte> room)
    {
        // The end is read before the number of bytes: a thread that sees the end then also sees every byte before it.
        bool ended = PeerEnded;
        int unread = Volatile.Read(ref _use) & ~Filling;
        if (IsAborted)
        {
            return Broken;
        }

        if (unread == 0)
        {
            return !ended ? WouldBlock : _endedByFault ? Broken : 0;
        }

        byte[] ring = _ring!;
        int taken = Math.Min(unread, room.Length);
        int run = Math.Min(taken, ring.Length - _takeAt);
        ring.AsSpan(_takeAt, run).CopyTo(room);
        ring.AsSpan(0, taken - run).CopyTo(room[run..]);
        _takeAt = (_takeAt + taken) % ring.Length;
        if (Interlocked.Add(ref _use, -taken) == 0)
        {
            Buffers.Return(ring);
        }

        WakeLoop(); // the last step, because the loop may run inline here
        return taken;
    }

    public override int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source)
    {
        switch (Volatile.Read(ref _write))
        {
            case WritePending:
                return WouldBlock;
            case WriteEnded:
                _write = WriteNone;
                return _writeFailed ? Broken : _writeBytes;
        }

        if (_writeFailed || IsStopping)
        {
            return Broken;
        }

        int bytes = (int)Math.Min((long)pending.Length + source.Length, Math.Min(MaxPerWrite, Buffers.LargestNow));
        pending = pending[..Math.Min(pending.Length, bytes)];
        _writeBytes = bytes;
        Interlocked.Exchange(ref _write, WritePending); // set before the start: the write may complete on another thread before StartWrite returns
        try
        {
            if (!StartWrite(pending, source.Span[..(bytes - pending.Length)]))
            {
                return WouldBlock;
            }
        }
        catch (Exception)
        {
            _writeFailed = true; // the layer below has thrown: the peer is gone, or a host program has closed its end
        }

        Volatile.Write(ref _write, WriteNone); // written after _writeFailed: a thread that sees no pending write also sees a failure
        return _writeFailed ? Broken : bytes;
    }

    /// <summary>Reports unread bytes in the ring, or the end. If there is neither, asks the layer below.</summary>
    /// <remarks>
    /// A socket without TLS is always asked: the loop runs on another thread, and may not have noticed the latest bytes. The socket is asked before the ring is
    /// checked. So bytes that the loop takes from the socket in between are found in the ring, or the loop is still writing them.
    /// </remarks>
    public override Arrival Look(bool asksSystem)
    {
        bool ended = PeerEnded;
        Arrival below = ended ? Arrival.End : LookBelow(asksSystem);
        int use = Volatile.Read(ref _use);
        return (use & ~Filling) != 0 ? Arrival.Bytes
            : below is Arrival.Nothing && use == Filling ? LookWhileFilling
            : below;
    }

    public override bool MustAskForEnd => true;

    public override bool MayHideEnd => Volatile.Read(ref _waitsForRoom) == 1;

    /// <summary>
    /// Checks for an end in place of the loop, which cannot notice one while it waits for room. Until the calling thread sets <c>_waitsForRoom</c> to 1 again,
    /// nobody can wake the loop. So the two never use the layer below at the same time.
    /// </summary>
    public override void LookForEnd()
    {
        if (Volatile.Read(ref _waitsForRoom) == 1 && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            if (!IsStopping && HasEndedBehind())
            {
                TellEndBehind();
            }

            // While the value was 0, a reader that made room could not wake the loop. So after the value is set, this method checks for room and wakes the loop
            // itself.
            Interlocked.Exchange(ref _waitsForRoom, 1);
            if (IsStopping || !IsFull)
            {
                WakeLoop();
            }
        }
    }

    protected override bool HasUnread => (Volatile.Read(ref _use) & ~Filling) != 0;

    void IValueTaskSource.GetResult(short token) => _room.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _room.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _room.OnCompleted(continuation, state, token, flags);

    /// <summary>Copies the bytes and starts one write of them.</summary>
    /// <returns>
    /// True if the write has completed successfully. False if it is pending: then <see cref="EndWrite"/> will be called. Throws if it has failed.
    /// </returns>
    protected abstract bool StartWrite(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    /// <summary>The receive loop. Calls <see cref="Channel.TellReadable"/> after each fill and <see cref="EndReceive"/> at the end. Never throws.</summary>
    protected abstract Task ReceiveAsync();

    /// <summary>Checks what has arrived in the layer below. The loop may be waiting for it at the same time.</summary>
    protected virtual Arrival LookBelow(bool asksSystem) => Arrival.Nothing;

    /// <summary>Whether the peer has ended after bytes that have not been received. During the call, the loop does not use the layer below.</summary>
    protected abstract bool HasEndedBehind();

    /// <summary>What <c>Look</c> returns while the loop writes into an empty ring. Usually it is about to report bytes or an end.</summary>
    protected virtual Arrival LookWhileFilling => Arrival.Bytes;

    protected override void Start() => _ = ReceiveAsync();

    /// <summary>
    /// Waits until the reader has taken bytes. Afterwards the loop must check for room again: it may be woken late, when it has already filled that room.
    /// </summary>
    /// <remarks>
    /// This side sets <c>_waitsForRoom</c> and then checks again for room. The other side makes room, or stops the channel, and then checks
    /// <c>_waitsForRoom</c>. Both have an interlocked operation in between, so at least one sees what the other did.
    /// </remarks>
    protected ValueTask WaitForRoomAsync()
    {
        _room.Reset();
        Interlocked.Exchange(ref _waitsForRoom, 1);
        if ((IsStopping || !IsFull) && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            return ValueTask.CompletedTask;
        }

        return new ValueTask(this, _room.Version);
    }

    /// <summary>Wakes the loop if it waits for room.</summary>
    protected void WakeLoop()
    {
        if (Volatile.Read(ref _waitsForRoom) == 1 && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            _room.SetResult(true);
        }
    }

    /// <summary>Called by the loop before it writes into the ring.</summary>
    /// <returns>The free space; not empty.</returns>
    protected Memory<byte> BeginFill()
    {
        int before = Interlocked.Add(ref _use, Filling) - Filling;
        Debug.Assert((before & Filling) == 0, "One fill at a time.");
        if (before == 0)
        {
            _ring = Buffers.Rent(RingBytes);
            _takeAt = _fillAt = 0;
        }

        int room = Math.Min(_ring!.Length - before, _ring.Length - _fillAt);
        Debug.Assert(room > 0, "The loop has waited for room.");
        return _ring.AsMemory(_fillAt, room);
    }

    /// <summary>Called by the loop after it has written into the ring, or has failed to.</summary>
    protected void EndFill(int bytes)
    {
        byte[] ring = _ring!;
        _fillAt = (_fillAt + bytes) % ring.Length;
        if (Interlocked.Add(ref _use, bytes - Filling) == 0)
        {
            Buffers.Return(ring);
        }
    }

    /// <summary>Called by the loop when it has received the end, or has failed. Reports the end.</summary>
    protected void EndReceive(bool byFault)
    {
        _endedByFault = byFault || IsStopping;
        TellReadable(ended: true);
    }

    /// <summary>Called when the pending write has completed. On any thread.</summary>
    protected void EndWrite(bool failed)
    {
        Debug.Assert(_write == WritePending, "One write at a time.");
        _writeFailed |= failed;
        Volatile.Write(ref _write, WriteEnded);
        TellWritable();
    }

    /// <summary>Returns the ring if it has bytes that nobody has read. Only once the loop has ended and the owner has closed.</summary>
    protected void DropUnread()
    {
        int unread = Interlocked.Exchange(ref _use, 0);
        Debug.Assert(unread < Filling, "The loop has ended.");
        if (unread > 0)
        {
            Buffers.Return(_ring!);
        }
    }

    /// <summary>The ring has no room. Only for the loop.</summary>
    protected bool IsFull => _ring is { } ring && Volatile.Read(ref _use) == ring.Length;
}
