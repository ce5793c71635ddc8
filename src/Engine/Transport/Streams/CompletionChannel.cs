using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport.Streams;

/// <summary>A channel over something that completes (a stream, a host's pipe), made to look like one that says when it is ready.</summary>
/// <remarks>
/// <b>Receiving.</b> A loop of its own, the only reader of what is below, waits without a buffer, fills a ring, and gives readiness. It goes on while there is
/// room in the ring, so that an end behind unread bytes is seen; where there is none it waits until the reader has taken some.
/// <code>
///   WaitForRoom ──► wait for bytes ──► fill ──► tell ──┐        end or fault: tell, once
///        ▲─────────────────────────────────────────────┘
/// </code>
/// The ring has one producer and one consumer and no lock: <c>_use</c> counts the unread bytes, plus <see cref="Filling"/> while the loop writes into the
/// ring. The loop adds before it writes, and adds the bytes written while it takes <see cref="Filling"/> off; the reader takes bytes off after it has
/// copied them. Whoever brings the word to zero gives the ring back. The loop that finds the word at zero therefore rents another: the old one is, or is just
/// about to be, given back by the one who emptied it, through a reference that it read before.
/// <para><b>Sending.</b> At most one write is out.
/// <see cref="Send"/> copies what it takes, so that a flush that is cancelled, or a close, need not wait for it.</para>
/// <code>
///   none ──Send──► done at once (none again)
///    ▲  └──Send──► out ──completion──► over ──Send──┐
///    └──────────────────────────────────────────────┘
/// </code>
/// <para>
/// <b>Inline.</b> What is below may complete on the thread that called it, and what is told may run the owner there and then. Neither recurses: a receive
/// that wakes the loop does it last, and the owner is then not waiting, so the loop can only leave a readiness behind; and while the loop tells the owner
/// it is not
/// waiting for room, so a receive cannot wake it.
/// </para>
/// </remarks>
internal abstract class CompletionChannel : Channel, IValueTaskSource
{
    /// <summary>The most that one write takes: about what a host's pipe lets pass at once.</summary>
    private const int MostPerWrite = Buffers.Large;

    /// <summary>As large as a TLS record; in Debug, where buffers are tiny, as what a reader would take at once.</summary>
#if DEBUG
    private const int RingBytes = Buffers.Largest;
#else
    private const int RingBytes = Buffers.Medium;
#endif

    /// <summary>In <see cref="_use"/> while the loop writes into the ring.</summary>
    private const int Filling = 1 << 30;

    private const int WriteNone = 0;
    private const int WriteOut = 1;
    private const int WriteOver = 2;

    /// <summary>See the remarks. Changed by interlocked addition only.</summary>
    private int _use;

    /// <summary>Valid while <see cref="_use"/> is not zero. Written by the loop.</summary>
    private byte[]? _ring;

    /// <summary>Where the reader goes on. The reader's; the loop resets it with a new ring, when there is nothing to read.</summary>
    private int _takeAt;

    /// <summary>Where the loop goes on. The loop's.</summary>
    private int _fillAt;

    /// <summary>The loop's wait for room. Valid while <see cref="_waitsForRoom"/> is 1.</summary>
    private ManualResetValueTaskSourceCore<bool> _room;

    /// <summary>1 while the loop waits for room; taken by exchange by the one who wakes it.</summary>
    private int _waitsForRoom;

    /// <summary>The end was a fault. Written by the loop before it tells the end.</summary>
    private bool _endedByFault;

    /// <summary>One of the three states of a write. The sender's, but for the step from out to over, which is the completion's.</summary>
    private int _write;

    /// <summary>Bytes of the write that is out or over.</summary>
    private int _writeBytes;

    /// <summary>A write has failed: no more are made. Written before <see cref="_write"/>.</summary>
    private bool _writeFailed;

    /// <summary>Aborted or closed: the loop ends at its next step, and no more writes are made.</summary>
    protected bool IsStopping => IsAborted || IsClosed;

    /// <summary>A write is out: begun, and not known to be over.</summary>
    protected bool IsWriteOut => Volatile.Read(ref _write) == WriteOut;

    /// <summary>A write has failed.</summary>
    protected bool HasWriteFailed => Volatile.Read(ref _writeFailed);

    /// <summary>A write is out, or has failed, or was left behind: what was sent is not whole.</summary>
    protected bool IsWriteUnfinished => _writeFailed || Volatile.Read(ref _write) != WriteNone;

    public override int HeldBuffers => Volatile.Read(ref _use) == 0 ? 0 : 1;

    public override int Receive(Span<byte> room)
    {
        // The end first: where it is seen, every byte before it is seen below.
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

        WakeLoop(); // last: the loop may run here
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

        int bytes = (int)Math.Min((long)pending.Length + source.Length, Math.Min(MostPerWrite, Buffers.LargestNow));
        pending = pending[..Math.Min(pending.Length, bytes)];
        _writeBytes = bytes;
        Interlocked.Exchange(ref _write, WriteOut); // before it starts: it may be over on another thread before the start returns
        try
        {
            if (!StartWrite(pending, source.Span[..(bytes - pending.Length)]))
            {
                return WouldBlock;
            }
        }
        catch (Exception)
        {
            _writeFailed = true; // whatever is below has thrown: the peer has gone, or a host has closed its end
        }

        Volatile.Write(ref _write, WriteNone); // after the failure: who finds no write out finds that
        return _writeFailed ? Broken : bytes;
    }

    /// <summary>What the loop has received, or the end; else what can be seen below.</summary>
    /// <remarks>
    /// A bare socket is asked in any case: it tells the loop on a thread of its own, at any time. It is asked before the ring: bytes that the loop has taken
    /// from it by then are in the ring, or the loop is just filling that.
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

    /// <summary>
    /// While the loop waits for room it cannot see what is behind: then this looks in its place. Who takes the flag has the loop's part until it gives it
    /// back.
    /// </summary>
    public override void LookForEnd()
    {
        if (Volatile.Read(ref _waitsForRoom) == 1 && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            if (!IsStopping && HasEndedBehind())
            {
                TellEndBehind();
            }

            // As in WaitForRoomAsync: a reader that has made room meanwhile found nobody to wake.
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
    /// <returns>True where it is over and has succeeded; false where <see cref="EndWrite"/> will be called. Throws where it has failed.</returns>
    protected abstract bool StartWrite(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    /// <summary>The receive loop. Calls <see cref="Channel.TellReadable"/> after each fill and <see cref="EndReceive"/> at the end; never throws.</summary>
    protected abstract Task ReceiveAsync();

    /// <summary>Looks at what is below, beside the loop that waits for it.</summary>
    protected virtual Arrival LookBelow(bool asksSystem) => Arrival.Nothing;

    /// <summary>Whether the peer has ended behind bytes that have not been received. The loop does not use what is below meanwhile.</summary>
    protected abstract bool HasEndedBehind();

    /// <summary>What a fill that is under way means: something that is about to be told, unless a fill may wait.</summary>
    protected virtual Arrival LookWhileFilling => Arrival.Bytes;

    protected override void Start() => _ = ReceiveAsync();

    /// <summary>
    /// Waits for the reader to take bytes. The loop looks again whether there is room: a reader may wake it late, for bytes whose room it has filled
    /// since.
    /// </summary>
    /// <remarks>
    /// The flag is set before the second look, and looked at after the ring or the state has changed, with an interlocked step in between on both sides.
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

    /// <summary>Wakes the loop where it waits for room.</summary>
    protected void WakeLoop()
    {
        if (Volatile.Read(ref _waitsForRoom) == 1 && Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            _room.SetResult(true);
        }
    }

    /// <summary>The loop is going to write into the ring.</summary>
    /// <returns>Where; not empty.</returns>
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

    /// <summary>The loop has come to the end.</summary>
    protected void EndReceive(bool byFault)
    {
        _endedByFault = byFault || IsStopping;
        TellReadable(ended: true);
    }

    /// <summary>The write that was out is over. On whatever thread.</summary>
    protected void EndWrite(bool failed)
    {
        Debug.Assert(_write == WriteOut, "One write at a time.");
        _writeFailed |= failed;
        Volatile.Write(ref _write, WriteOver);
        TellWritable();
    }

    /// <summary>Gives back what nobody has read. Only once the loop has ended and the owner has closed.</summary>
    protected void DropUnread()
    {
        int unread = Interlocked.Exchange(ref _use, 0);
        Debug.Assert(unread < Filling, "The loop has ended.");
        if (unread > 0)
        {
            Buffers.Return(_ring!);
        }
    }

    /// <summary>The ring has no room. The loop's question.</summary>
    protected bool IsFull => _ring is { } ring && Volatile.Read(ref _use) == ring.Length;
}
