using System.Diagnostics;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Upstream;

/// <summary>One connection to the upstream: who has it, how old it is, and whether it is still clean.</summary>
/// <remarks>
/// While it is idle it is watched: any byte or end that comes then ends it, because an answer that no request asked for would be taken for the next one
/// (RFC 9112 §9.3, RFC 9110 §15).
/// <code>
///   InUse ──Hold──► Settling ──► Held ────┐
///     ▲  └──Rest──► Settling ──► Pooled ──┤──TryTake──► InUse
///     │                │          │       └──EndIdle──► Dead
///     └────────────────┼──────────┘
///                      └──the watch, an end──► Dead
/// </code>
/// States change by compare-exchange, so of watch, heartbeat and taker one gets it. While it settles only its owner touches it: an end that comes then is
/// noted, and the owner does what is to be done. Who brings Pooled to Dead closes it; who brings Held to Dead wakes nobody and aborts it, and its client
/// closes it.
/// </remarks>
internal sealed class UpstreamConnection : IConnectionWatch
{
    private const int InUse = 0;
    private const int Settling = 1;
    private const int Held = 2;
    private const int Pooled = 3;
    private const int Dead = 4;

    /// <summary>The upstream has not said how long it keeps the connection.</summary>
    public const long NotSaid = -1;

    /// <summary>So much earlier than the upstream has said the connection is no longer used: a request travels for a while, and the clock has steps.</summary>
    private const long KeepAliveMarginMilliseconds = 1000;

    private readonly Heartbeat _heartbeat;
    private readonly Tally _tally;

    /// <summary>One of the states above.</summary>
    private int _state;

    /// <summary>The pool it rests in. Valid while Pooled, and read by the one who ended that.</summary>
    private UpstreamPool? _pool;

    /// <summary>See <see cref="IdleSince"/>.</summary>
    private long _idleSince;

    /// <summary>See <see cref="KeptFor"/>.</summary>
    private long _keptFor = NotSaid;

    public UpstreamConnection(Connection transport, Heartbeat heartbeat, Tally tally)
    {
        Transport = transport;
        MadeAt = heartbeat.Now;
        _idleSince = MadeAt;
        _heartbeat = heartbeat;
        _tally = tally;
    }

    /// <summary>The bytes. The owner's: who has taken it or made it.</summary>
    public Connection Transport { get; }

    /// <summary>By the heartbeat.</summary>
    public long MadeAt { get; }

    /// <summary>Since when no exchange has used it, by the heartbeat, whoever keeps it. Valid while it is idle, and until it is held again.</summary>
    public long IdleSince => Volatile.Read(ref _idleSince);

    /// <summary>How long it may be idle by what the upstream has said, less a margin, in milliseconds; <see cref="NotSaid"/> where it has not.</summary>
    public long KeptFor => Volatile.Read(ref _keptFor);

    /// <summary>It has carried an exchange before: it may have been closed by the upstream at the very moment of its use.</summary>
    public bool IsReused { get; private set; }

    public bool IsIdle => Volatile.Read(ref _state) is Held or Pooled;

    /// <summary>It ended while it was idle, and stays so.</summary>
    public bool IsDead => Volatile.Read(ref _state) is Dead;

    /// <summary>The upstream has said how long it keeps the connection idle. Only for its user.</summary>
    public void KeepFor(int seconds)
    {
        Debug.Assert(seconds >= 0 && !IsIdle, "An answer has said it, so the connection is in use.");
        long said = seconds * 1000L;
        Volatile.Write(ref _keptFor, said - Math.Min(KeepAliveMarginMilliseconds, said / 2));
    }

    /// <summary>A client keeps it between two of its exchanges. It is idle from now on.</summary>
    public void Hold(long now)
    {
        Volatile.Write(ref _idleSince, now);
        Rest(Held, null);
    }

    /// <summary>The pool keeps it, as idle as it was before.</summary>
    public void RestIn(UpstreamPool pool) => Rest(Pooled, pool);

    /// <summary>Takes it for an exchange; false where it has ended meanwhile, or brings bytes that no request asked for. The caller then closes it.</summary>
    /// <remarks>
    /// Looked at right here, and not only by the watch: bytes that came before the request was sent would be taken for its answer, and a request sent into
    /// an end that has come already would be lost (RFC 9112 §9.2, §9.3.1). The system is asked where it may know more than the watch, and in any case where the
    /// connection has been idle since an earlier heartbeat: upstreams close idle connections, not busy ones, and what the watch knows is as old as the
    /// loop's last look. What comes later nobody can tell from an answer.
    /// </remarks>
    public bool TryTake()
    {
        int state = Volatile.Read(ref _state);
        if (state is not (Held or Pooled) || Interlocked.CompareExchange(ref _state, InUse, state) != state)
        {
            return false;
        }

        Transport.Input.Unwatch();
        _pool = null;
        IsReused = true;
        Arrival arrival = Transport.Input.Look(asksSystem: _heartbeat.Now != IdleSince);
        if (arrival is Arrival.Bytes)
        {
            _tally.UnsolicitedResponse();
        }

        return arrival is Arrival.Nothing;
    }

    public void OnPeerEnded() => EndIdle();

    public void OnUnexpectedBytes()
    {
        if (EndIdle())
        {
            _tally.UnsolicitedResponse();
        }
    }

    /// <summary>Ends an idle connection. One that is in use is left to its user.</summary>
    /// <returns>Whether this call ended it.</returns>
    public bool EndIdle()
    {
        if (Interlocked.CompareExchange(ref _state, Dead, Settling) == Settling)
        {
            return true; // its owner finds that, in Rest
        }

        if (Interlocked.CompareExchange(ref _state, Dead, Held) == Held)
        {
            End(Held);
            return true;
        }

        if (Interlocked.CompareExchange(ref _state, Dead, Pooled) == Pooled)
        {
            End(Pooled);
            return true;
        }

        return false;
    }

    private void Rest(int state, UpstreamPool? pool)
    {
        Debug.Assert(_state == InUse, "It rests when its user is done with it.");
        _pool = pool;
        Volatile.Write(ref _state, Settling);
        Transport.Input.Watch(this, forBytes: true);
        if (Interlocked.CompareExchange(ref _state, state, Settling) != Settling)
        {
            Debug.Assert(IsDead, "Only an end comes between.");
            End(state);
        }
    }

    /// <summary>It has become dead by this caller, which alone does what follows.</summary>
    private void End(int state)
    {
        if (state == Pooled)
        {
            _pool?.Forget(this);
            Transport.Close(reset: false);
        }
        else
        {
            // Its client closes it when it looks next; until then nothing lingers in CLOSE_WAIT.
            Transport.ShutdownOutput();
            Transport.Abort();
        }
    }
}
