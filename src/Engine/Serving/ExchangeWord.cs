using System.Diagnostics;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>One 64-bit word that holds everything that can end a client connection's present exchange, together with the number of that exchange.</summary>
/// <remarks>
/// <code>
///   63 ........ 24 | 23 ... 16 | 15 .... 8 | 7 .... 0
///   exchange number  flags       refusal     cut
///
///   cut       None → a reason; the first one is kept, for the life of the connection.
///   refusal   None → a reason; the first one is kept. Back to None when the exchange settles.
///   flags     set one by one, cleared when the exchange settles.
///   number    incremented when an exchange settles, or when its request is sent again.
/// </code>
/// The heartbeat passes the word that it read before it observed an exchange. If that exchange has settled since, the number differs and nothing happens. An
/// exchange's relays return to their pool only after it has settled, so whatever the heartbeat reads from a relay cannot harm another exchange.
/// <para>It is a struct, as the other parts of <see cref="Interrupts"/> are, so that a connection needs no object for it. It must never be copied.</para>
/// </remarks>
internal struct ExchangeWord
{
    private const int RefusalShift = 8;
    private const int FlagShift = 16;
    private const int NumberShift = 24;
    private const long NumberUnit = 1L << NumberShift;
    private const long CutMask = 0xFF;
    private const long StoppedFlag = 1L << FlagShift;
    private const long LastBytesFlag = 2L << FlagShift;
    private const long HalfReleasedFlag = 4L << FlagShift;
    private const long ContinueFlag = 8L << FlagShift;

    /// <summary>The word described in the remarks.</summary>
    private long _word;

    /// <summary>The word as it is now.</summary>
    public long Value => Volatile.Read(ref _word);

    /// <inheritdoc cref="Interrupts.CutReason"/>
    public FaultReason CutReason => (FaultReason)(Value & CutMask);

    /// <inheritdoc cref="Interrupts.RefusedBody"/>
    public RefusalReason RefusedBody => (RefusalReason)(byte)(Value >> RefusalShift);

    /// <inheritdoc cref="Interrupts.IsPumpStopped"/>
    public bool IsPumpStopped => (Value & (CutMask | StoppedFlag)) != 0;

    /// <inheritdoc cref="Interrupts.IsAtLastBytes"/>
    public bool IsAtLastBytes => (Value & LastBytesFlag) != 0;

    /// <inheritdoc cref="Interrupts.IsHalfReleased"/>
    public bool IsHalfReleased => (Value & HalfReleasedFlag) != 0;

    /// <summary>The exchange number in a word.</summary>
    public static long NumberOf(long word) => word >> NumberShift;

    /// <summary>Whether a word says that the client was told to send its body (100), or did not wait for that.</summary>
    public static bool HasContinued(long word) => (word & ContinueFlag) != 0;

    /// <summary>Sets the reason of a cut, unless there is one already, or another exchange has begun.</summary>
    /// <param name="reason">Why the exchange is ended.</param>
    /// <param name="exchange">The word that the heartbeat read before it observed the exchange; null to cut whichever exchange is the present one.</param>
    /// <returns>What <see cref="DueWork"/> must do now. The reason is set before that, so a wait that begins later ends at once.</returns>
    public Due TryCut(FaultReason reason, long? exchange)
    {
        Debug.Assert(reason is not FaultReason.None, "A cut has a reason.");
        Due clientIsLost = reason is FaultReason.UpstreamResponseTimeout ? Due.None : Due.ClientFlush;
        long seen = Value;
        do
        {
            if (IsAnother(seen, exchange))
            {
                return Due.None;
            }

            if ((seen & CutMask) != 0)
            {
                return clientIsLost; // after an earlier reason, the client may be getting an answer: that write ends too, as the client will not read it
            }
        }
        while (!TryReplace(ref seen, seen | (long)reason));

        return Due.Waits | clientIsLost;
    }

    /// <summary>
    /// Sets the reason to refuse the rest of the body, unless there is one already, the body was read completely, or another exchange has begun.
    /// </summary>
    /// <param name="reason">Why the body is refused.</param>
    /// <param name="exchange">As for <see cref="TryCut"/>.</param>
    /// <returns>What <see cref="DueWork"/> must do now.</returns>
    public Due TryRefuse(RefusalReason reason, long? exchange)
    {
        Debug.Assert(reason is not RefusalReason.None, "A refusal has a reason.");
        long seen = Value;
        do
        {
            // A body that was read completely can no longer be refused: its response may be arriving.
            if (((seen >> RefusalShift) & 0xFF) != 0 || (seen & LastBytesFlag) != 0 || IsAnother(seen, exchange))
            {
                return Due.None;
            }
        }
        while (!TryReplace(ref seen, seen | ((long)reason << RefusalShift) | StoppedFlag));

        return Due.Waits;
    }

    /// <summary>Sets the flag that stops the pump.</summary>
    public void SetStopped() => Set(StoppedFlag);

    /// <summary>Sets the flag that the pump is sending the last bytes.</summary>
    public void SetLastBytes() => Set(LastBytesFlag);

    /// <summary>Sets the flag that the client was told to send its body, or did not wait for that.</summary>
    public void SetContinued() => Set(ContinueFlag);

    /// <summary>Sets the flag that <see cref="Interrupts.ReleaseHalf"/> was called. Returns false if it was set already.</summary>
    public bool SetHalfReleased() => Set(HalfReleasedFlag);

    /// <summary>Starts a new number, because the request is sent again. Clears the flags about its last bytes and its release.</summary>
    public void BeginSending() => BeginNumber(kept: (NumberUnit - 1) & ~(LastBytesFlag | HalfReleasedFlag));

    /// <summary>Starts a new number, because the exchange is over. Keeps only the reason of a cut.</summary>
    public void Settle() => BeginNumber(kept: CutMask);

    private static bool IsAnother(long seen, long? exchange) => exchange is { } meant && NumberOf(seen) != NumberOf(meant);

    /// <summary>Starts a new number, so that what the heartbeat has observed before has no effect any more.</summary>
    /// <param name="kept">A mask of the bits below the number that keep their value.</param>
    private void BeginNumber(long kept)
    {
        long seen = Value;
        long next;
        do
        {
            next = unchecked((seen & ~(NumberUnit - 1)) + NumberUnit) | (seen & kept);
        }
        while (!TryReplace(ref seen, next));
    }

    /// <summary>Replaces the word if it is still what was seen. Otherwise <paramref name="seen"/> becomes the present word, for another try.</summary>
    private bool TryReplace(ref long seen, long next)
    {
        long found = Interlocked.CompareExchange(ref _word, next, seen);
        bool isDone = found == seen;
        seen = found;
        return isDone;
    }

    /// <summary>Sets a flag. Returns false if it was set already.</summary>
    private bool Set(long flag) => (Interlocked.Or(ref _word, flag) & flag) == 0;
}
