using System.Diagnostics;

namespace McpProxyFast.Serving;

/// <summary>
/// The deadline of a client connection's present wait. The connection's loop starts and removes it. The heartbeat marks it as expired, or extends it.
/// </summary>
/// <remarks>
/// The deadline is one word: the time, and the kind of wait. The heartbeat changes it by compare-exchange. So a deadline expires at most once, and a newer
/// deadline is never mistaken for an older one.
/// </remarks>
internal struct WaitDeadline
{
    private const int WaitBits = 4;
    private const long ExpiredBit = 8;

    /// <summary>
    /// When the wait expires, in milliseconds of the heartbeat, shifted left by <see cref="WaitBits"/>. The low bits hold the <see cref="Wait"/>, plus 8 once
    /// it has expired. 0 if there is no deadline.
    /// </summary>
    private long _word;

    /// <summary>If the wait is for a peer to read: the number of bytes that had reached it when the wait began. Written before the word.</summary>
    private long _deliveredAtStart;

    /// <summary>The deadline that the last extension has set, and the number of bytes that had reached the peer then. Used by the heartbeat only.</summary>
    private (long Word, long Delivered) _extended;

    /// <summary>Whether the deadline of the present wait has expired.</summary>
    public bool HasExpired => (Volatile.Read(ref _word) & ExpiredBit) != 0;

    /// <summary>The kind of wait that a deadline is for.</summary>
    public static Wait WaitOf(long word) => (Wait)(word & (ExpiredBit - 1));

    /// <summary>Whether a wait is for a peer to read what it is sent.</summary>
    public static bool IsWrite(Wait wait) => wait is Wait.ClientWrite or Wait.UpstreamWrite;

    /// <summary>Starts the deadline of a wait that begins now.</summary>
    /// <param name="wait">The kind of wait.</param>
    /// <param name="until">When it must end, in the heartbeat's time.</param>
    /// <param name="delivered">If the wait is for a peer to read: the number of bytes that have reached it until now.</param>
    public void Start(Wait wait, long until, long delivered)
    {
        Debug.Assert(wait is not Wait.None, "A deadline is for something.");
        if (IsWrite(wait))
        {
            _deliveredAtStart = delivered;
        }

        Volatile.Write(ref _word, (until << WaitBits) | (long)wait);
    }

    /// <summary>Removes the deadline, because the wait has ended.</summary>
    /// <returns>The kind of wait if its deadline had expired; otherwise <see cref="Wait.None"/>.</returns>
    public Wait Stop()
    {
        long ended = Interlocked.Exchange(ref _word, 0);
        return (ended & ExpiredBit) != 0 ? WaitOf(ended) : Wait.None;
    }

    /// <summary>Removes the deadline, so that another wait can have one meanwhile. The result is for <see cref="Resume"/>.</summary>
    public long Suspend() => Interlocked.Exchange(ref _word, 0);

    /// <summary>Restores a suspended deadline. Its time has continued to run.</summary>
    public void Resume(long suspended) => Volatile.Write(ref _word, suspended);

    /// <summary>Called by the heartbeat: whether there is a deadline that is over, but not yet marked as expired.</summary>
    /// <param name="now">The present time.</param>
    /// <param name="seen">The deadline, for <see cref="ExtendIfMoving"/> and <see cref="TryExpire"/>.</param>
    public bool IsOver(long now, out long seen)
    {
        seen = Volatile.Read(ref _word);
        return seen != 0 && (seen & ExpiredBit) == 0 && now >= seen >> WaitBits;
    }

    /// <summary>Called by the heartbeat: extends a write's deadline if bytes have reached the peer since the deadline was set.</summary>
    /// <returns>False if no byte has reached the peer: the deadline is unchanged.</returns>
    public bool ExtendIfMoving(long seen, long delivered, long until)
    {
        Debug.Assert(IsWrite(WaitOf(seen)), "Only a write's deadline is extended.");
        long before = _extended.Word == seen ? _extended.Delivered : Volatile.Read(ref _deliveredAtStart);
        if (delivered == before)
        {
            return false;
        }

        long later = (until << WaitBits) | (long)WaitOf(seen);
        _extended = (later, delivered);
        Interlocked.CompareExchange(ref _word, later, seen);
        return true;
    }

    /// <summary>Called by the heartbeat: marks the deadline as expired.</summary>
    /// <returns>False if the wait has ended meanwhile, or another has begun. Then nothing happens.</returns>
    public bool TryExpire(long seen) => Interlocked.CompareExchange(ref _word, seen | ExpiredBit, seen) == seen;
}
