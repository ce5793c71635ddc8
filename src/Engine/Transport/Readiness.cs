using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Connects a giver and a waiter in one direction of a channel: the giver says that the channel may continue, and the waiter takes that.</summary>
/// <remarks>
/// One word with three states:
/// <code>
///              Give                        Arm
///   Ready ◄─────────── NotReady ─────────────────► Armed
///     │     Keep          ▲  ▲                       │
///     └───────────────────┘  └───────────────────────┘
///           Take               Give (calls the waiter), Disarm
/// </code>
/// There is at most one giver at a time (an event loop, a receive loop, the end of a write) and at most one waiter. Any thread may disarm. Every step is
/// interlocked, so if several threads race to leave Armed, exactly one succeeds, and that one must wake the waiter.
/// <para>
/// The waiter takes Ready before it tries the channel, never after. So what the giver wrote before <see cref="Give"/> is either seen by that try, or Ready is
/// still set afterwards. At worst one try finds nothing.
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

    /// <summary>Says that the channel may continue.</summary>
    /// <returns>True if a waiter was armed; the caller must wake it. Otherwise the readiness is kept.</returns>
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

                // Armed between the two steps. The waiter saw no readiness and can no longer be disarmed, so it must be called.
                bool taken = Take();
                Debug.Assert(taken, "Only the waiter takes a readiness, and it is waiting.");
                return taken;
        }
    }

    /// <summary>Takes a readiness that was given while nobody waited. Only for the waiter.</summary>
    public bool Take() => Volatile.Read(ref _state) == Ready && Interlocked.CompareExchange(ref _state, NotReady, Ready) == Ready;

    /// <summary>Sets the readiness again, because a try left something behind that no event will announce.</summary>
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
    /// <returns>True for the one caller that stopped the wait. It must wake the waiter, or is the waiter itself.</returns>
    public bool Disarm() => Interlocked.CompareExchange(ref _state, NotReady, Armed) == Armed;
}
