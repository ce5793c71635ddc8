using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>The meeting point of one direction of a channel: a giver says "it may go on now", and one waiter takes that.</summary>
/// <remarks>
/// One word, three states:
/// <code>
///              Give                        Arm
///   Ready ◄─────────── NotReady ─────────────────► Armed
///     │     Keep          ▲  ▲                       │
///     └───────────────────┘  └───────────────────────┘
///           Take               Give (calls the waiter), Disarm
/// </code>
/// At most one giver at a time (an event loop, a receive loop, the end of a write) and at most one waiter. Anybody may disarm. Every step is interlocked, so
/// of several that race for the way out of Armed exactly one gets it, and with it the right and the duty to wake the waiter.
/// <para>
/// The waiter takes Ready before it tries the channel, never after. What the giver wrote before <see cref="Give"/> is then either seen by the try, or
/// leaves Ready behind: at worst one try finds nothing.
/// </para>
/// </remarks>
internal struct Readiness
{
    private const int NotReady = 0;
    private const int Ready = 1;
    private const int Armed = 2;

    /// <summary>One of the three states; changed by interlocked steps only.</summary>
    private int _state;

    /// <summary>Somebody waits. For assertions, and true only as long as nobody gives or disarms.</summary>
    public readonly bool IsArmed => Volatile.Read(in _state) == Armed;

    /// <summary>A readiness lies here that nobody has taken.</summary>
    public readonly bool IsReady => Volatile.Read(in _state) == Ready;

    /// <summary>Says that the channel may go on.</summary>
    /// <returns>True where somebody was waiting, whom the caller now wakes; else the readiness is kept.</returns>
    /// <remarks>
    /// Begins with an interlocked step in every case: a plain read that sees Ready could overtake the giver's own writes, and the waiter would miss them.
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

                // Armed between the two steps. The waiter saw no readiness and cannot be disarmed any more: it is called after all.
                bool taken = Take();
                Debug.Assert(taken, "Only the waiter takes a readiness, and it is waiting.");
                return taken;
        }
    }

    /// <summary>Takes a readiness that was given while nobody waited. Only the waiter.</summary>
    public bool Take() => Volatile.Read(ref _state) == Ready && Interlocked.CompareExchange(ref _state, NotReady, Ready) == Ready;

    /// <summary>Puts a readiness back: a try left something behind that nobody will announce again.</summary>
    public void Keep() => Interlocked.CompareExchange(ref _state, Ready, NotReady);

    /// <summary>Starts to wait. Only the waiter, which is not waiting yet.</summary>
    /// <returns>False where a readiness is there, which is to be taken.</returns>
    public bool Arm()
    {
        int seen = Interlocked.CompareExchange(ref _state, Armed, NotReady);
        Debug.Assert(seen != Armed, "At most one waiter.");
        return seen == NotReady;
    }

    /// <summary>Stops the wait.</summary>
    /// <returns>True for the one caller that stopped it, which now wakes the waiter or is the waiter.</returns>
    public bool Disarm() => Interlocked.CompareExchange(ref _state, NotReady, Armed) == Armed;
}
