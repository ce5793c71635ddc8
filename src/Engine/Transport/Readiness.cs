using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>
/// A signal in one direction of a channel: "a new try to receive or send may succeed". The giver, such as an event loop, sets it. The waiter, such as a reader,
/// takes it before it tries, or arms in order to be called when it is set.
/// </summary>
/// <remarks>
/// One word with three states:
/// <code>
///              Give                        Arm
///   Ready ◄─────────── NotReady ─────────────────► Armed
///     │     Keep          ▲  ▲                       │
///     └───────────────────┘  └───────────────────────┘
///           Take               Give (calls the waiter), Disarm
/// </code>
/// There is at most one giver at a time (an event loop, a receive loop, the end of a write) and at most one waiter. Any thread may disarm. Every change is
/// interlocked, so if several threads race to leave Armed, exactly one succeeds, and that one must wake the waiter.
/// <para>
/// The waiter takes Ready before it tries the channel, never after. So either that try sees what the giver wrote before <see cref="Give"/>, or Ready is still
/// set afterwards. At worst one try finds nothing.
/// </para>
/// </remarks>
internal struct Readiness
{
    private const int NotReady = 0;
    private const int Ready = 1;
    private const int Armed = 2;

    /// <summary>One of the three states. Changed by interlocked operations only.</summary>
    private int _state;

    /// <summary>A waiter is armed. For assertions: the value holds only until somebody gives or disarms.</summary>
    public readonly bool IsArmed => Volatile.Read(in _state) == Armed;

    /// <summary>A readiness is set that nobody has taken.</summary>
    public readonly bool IsReady => Volatile.Read(in _state) == Ready;

    /// <summary>Reports that a new try may succeed.</summary>
    /// <returns>True if a waiter was armed; the caller must call it. Otherwise the readiness stays set.</returns>
    /// <remarks>
    /// Always begins with an interlocked operation. A plain read that sees Ready could be ordered before the giver's own writes, and the waiter would miss
    /// them.
    /// </remarks>
    public bool Give()
    {
        switch (Interlocked.CompareExchange(ref _state, NotReady, Armed))
        {
            case Armed:
                return true;
            case Ready:
                return false;
            default:
                if (Interlocked.Exchange(ref _state, Ready) != Armed)
                {
                    return false;
                }

                // The waiter armed after the compare-exchange and before the exchange. It is not called for the readiness that is set now, so the readiness is
                // taken back, and the caller calls the waiter.
                bool taken = Take();
                Debug.Assert(taken, "Only the waiter takes a readiness, and it is waiting.");
                return taken;
        }
    }

    /// <summary>Takes a readiness that was given while nobody waited. Only for the waiter.</summary>
    public bool Take() => Volatile.Read(ref _state) == Ready && Interlocked.CompareExchange(ref _state, NotReady, Ready) == Ready;

    /// <summary>Sets the readiness, because a try left something behind that no event will report.</summary>
    public void Keep() => Interlocked.CompareExchange(ref _state, Ready, NotReady);

    /// <summary>Starts to wait. Only for the waiter, when it is not waiting yet.</summary>
    /// <returns>False if a readiness is set, which must be taken instead.</returns>
    public bool Arm()
    {
        int seen = Interlocked.CompareExchange(ref _state, Armed, NotReady);
        Debug.Assert(seen != Armed, "At most one waiter.");
        return seen == NotReady;
    }

    /// <summary>Stops waiting.</summary>
    /// <returns>True for the one caller that stopped the wait. That caller must wake the waiter, unless it is the waiter.</returns>
    public bool Disarm() => Interlocked.CompareExchange(ref _state, NotReady, Armed) == Armed;
}
