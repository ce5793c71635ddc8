using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport.Streams;

/// <summary>Makes something with asynchronous completions (a stream, a host's pipe) usable as a channel that reports readiness.</summary>
/// <remarks>
/// <b>Receiving.</b> A loop is the only reader of the layer below. It waits without a buffer, fills a ring, and gives readiness. While the ring has room it
/// continues, so that it notices an end after unread bytes. When the ring is full, it waits until the reader has taken some bytes.
/// <code>
///   WaitForRoom ──► wait for bytes ──► fill ──► tell ──┐        end or fault: tell, once
///        ▲─────────────────────────────────────────────┘
/// </code>
/// The ring has one producer, one consumer and no lock. <c>_use</c> counts the unread bytes, plus <see cref="Filling"/> while the loop writes into the ring.
/// The loop adds <see cref="Filling"/> before it writes; afterwards it subtracts it and adds the bytes written in one step. The reader subtracts bytes after it
/// has copied them. The side that brings the word to zero returns the ring, through a reference that it read before. So a loop that finds zero rents another
/// ring and leaves the old one to the side that emptied it.
/// <para><b>Sending.</b> At most one write is pending.
/// <see cref="Send"/> copies what it takes, so a cancelled flush or a close need not wait for the write.</para>
/// <code>
///   none ──Send──► done at once (none again)
///    ▲  └──Send──► out ──completion──► over ──Send──┐
///    └──────────────────────────────────────────────┘
/// </code>
/// <para>
/// <b>Inline completions.</b> The layer below may complete on the calling thread, and a report may run the owner inline. Neither leads to recursion. A receive
/// wakes the loop as its last step; the owner is not waiting then, so the loop can only leave a readiness. And while the loop reports to the owner, it is not
/// waiting for room, so a receive cannot wake it.
/// </para>
/// </remarks>
internal abstract class CompletionChannel : Channel, IValueTaskSource
{
    /// <summary>The most bytes in one write: about as much as a host's pipe accepts at once.</summary>
    private const int MaxPerWrite = Buffers.Large;

    /// <summary>The size of the ring: that of a TLS record. In Debug builds, where buffers can be tiny, the most that a reader asks for.</summary>
#if DEBUG
    private const int RingBytes = Buffers.Largest;
#else
    private const int RingBytes = Buffers.Medium;
#endif

    /// <summary>Added to <see cref="_use"/> while the loop writes into the ring.</summary>
    private const int Filling = 1 << 30;

    private const int WriteNone = 0;
    private const int WriteOut = 1;
    private const int WriteOver = 2;

    /// <summary>The ring's use; see the remarks. Changed by interlocked addition only.</summary>
    private int _use;

    /// <summary>The ring. Valid while <see cref="_use"/> is not zero. Written by the loop.</summary>
    private byte[]? _ring;

    /// <summary>The reader's index in the ring. The loop resets it with a new ring, when nothing is unread.</summary>
    private int _takeAt;

    /// <summary>The loop's index in the ring.</summary>
    private int _fillAt;

    /// <summary>The completion of the loop's wait for room. Valid while <see cref="_waitsForRoom"/> is 1.</summary>
    private ManualResetValueTaskSourceCore<bool> _room;

    /// <summary>1 while the loop waits for room. The thread that wakes the loop takes it by exchange.</summary>
    private int _waitsForRoom;

    /// <summary>The end was a fault. Written by the loop before it reports the end.</summary>
    private bool _endedByFault;

    /// <summary>One of the three states of a write. Written by the sender; only the step from out to over is made by the completion.</summary>
    private int _write;

    /// <summary>The bytes of the write that is out or over.</summary>
    private int _writeBytes;

    /// <summary>A write has failed, so no more are made. Written before <see cref="_write"/>.</summary>
    private bool _writeFailed;

    /// <summary>Aborted or closed. The loop ends at its next step, and no more writes are made.</summary>
    protected bool IsStopping => IsAborted || IsClosed;

    /// <summary>A write has started and is not known to be over.</summary>
    protected bool IsWriteOut => Volatile.Read(ref _write) == WriteOut;

    /// <summary>A write has failed.</summary>
    protected bool HasWriteFailed => Volatile.Read(ref _writeFailed);

    /// <summary>A write is pending, has failed, or was abandoned: the data sent is incomplete.</summary>
    protected bool IsWriteUnfinished => _writeFailed || Volatile.Read(ref _write) != WriteNone;

    public override int HeldBuffers => Volatile.Read(ref _use) == 0 ? 0 : 1;

    public override int Receive(Span<byte> room)
    {
        // The end is read first: if it is seen, every byte before it is seen below.
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

        WakeLoop(); // last: the loop may run inline here
        return taken;
    }

    public override int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source)
    {
        switch (Volatile.Read(ref _write))
        {
            case WriteOut:
                return WouldBlock;
            case WriteOver:
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
        Interlocked.Exchange(ref _write, WriteOut); // set before the start: the write may be over on another thread before the call returns
        try
        {
            if (!StartWrite(pending, source.Span[..(bytes - pending.Length)]))
            {
                return WouldBlock;
            }
        }
        catch (Exception)
        {
            _writeFailed = true; // the layer below has thrown: the peer is gone, or a host has closed its end
        }

        Volatile.Write(ref _write, WriteNone); // written after the failure: a thread that sees no pending write also sees the failure
        return _writeFailed ? Broken : bytes;
    }

    /// <summary>What the loop has received, or the end; otherwise what the layer below shows.</summary>
    /// <remarks>
    /// A bare socket is always asked, because the loop learns from it on another thread, at any time. It is asked before the ring is checked: bytes that the
    /// loop has taken from the socket by then are in the ring, or the loop is just writing them.
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
    /// While the loop waits for room, it cannot see what follows, so this checks instead. The thread that takes the flag acts as the loop until it puts
    /// the flag back.
    /// </summary>
    public override void LookForEnd()
    {
        if (Volatile.Read(ref _waitsForRoom) == 1 && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            if (!IsStopping && HasEndedBehind())
            {
                TellEndBehind();
            }

            // As in WaitForRoomAsync: a reader that has made room meanwhile found no loop to wake.
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
    /// <returns>True if it has completed successfully; false if <see cref="EndWrite"/> will be called. Throws if it has failed.</returns>
    protected abstract bool StartWrite(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    /// <summary>The receive loop. Calls <see cref="Channel.TellReadable"/> after each fill and <see cref="EndReceive"/> at the end. Never throws.</summary>
    protected abstract Task ReceiveAsync();

    /// <summary>Checks the layer below, at the same time as the loop waits for it.</summary>
    protected virtual Arrival LookBelow(bool asksSystem) => Arrival.Nothing;

    /// <summary>Whether the peer has ended after bytes that have not been received. The loop does not use the layer below during the call.</summary>
    protected abstract bool HasEndedBehind();

    /// <summary>What <c>Look</c> answers while a fill is running. Normally a fill is about to report bytes or an end.</summary>
    protected virtual Arrival LookWhileFilling => Arrival.Bytes;

    protected override void Start() => _ = ReceiveAsync();

    /// <summary>
    /// Waits until the reader takes bytes. Afterwards the loop must check for room again: a reader may wake it late, for room that has been filled since.
    /// </summary>
    /// <remarks>
    /// The flag is set before the second check. The other side changes the ring or the state before it checks the flag. Both sides have an interlocked
    /// operation in between.
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

    /// <summary>The loop is about to write into the ring.</summary>
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

    /// <summary>The loop has written into the ring, or has failed to.</summary>
    protected void EndFill(int bytes)
    {
        byte[] ring = _ring!;
        _fillAt = (_fillAt + bytes) % ring.Length;
        if (Interlocked.Add(ref _use, bytes - Filling) == 0)
        {
            Buffers.Return(ring);
        }
    }

    /// <summary>The loop has reached the end.</summary>
    protected void EndReceive(bool byFault)
    {
        _endedByFault = byFault || IsStopping;
        TellReadable(ended: true);
    }

    /// <summary>The pending write is over. Called on any thread.</summary>
    protected void EndWrite(bool failed)
    {
        Debug.Assert(_write == WriteOut, "One write at a time.");
        _writeFailed |= failed;
        Volatile.Write(ref _write, WriteOver);
        TellWritable();
    }

    /// <summary>Releases bytes that nobody has read. Only once the loop has ended and the owner has closed.</summary>
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
