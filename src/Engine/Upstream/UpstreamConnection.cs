using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Upstream;

/// <summary>One connection to the upstream: who has it, how old it is, and whether it is still clean.</summary>
/// <remarks>
/// While it is idle it is watched: any byte or end that comes then ends it, because an answer that nobody asked for would be taken for the next one
/// (RFC 9112 §9.3, RFC 9110 §15). States change by compare-exchange: the watch and the taker may race, and one of them gets it.
/// </remarks>
internal sealed class UpstreamConnection(Connection connection, long madeAt, Tally tally) : IConnectionWatch
{
    private const int InUse = 0;
    private const int Held = 1;
    private const int Pooled = 2;
    private const int Dead = 3;

    private int _state;
    private UpstreamPool? _pool;

    public Connection Connection => connection;

    public long MadeAt => madeAt;

    public long IdleSince { get; private set; }

    /// <summary>It has carried an exchange before: it may have been closed by the upstream at the very moment of its use.</summary>
    public bool IsReused { get; private set; }

    public bool IsIdle => Volatile.Read(ref _state) is Held or Pooled;

    /// <summary>It ended while it was idle, and stays so.</summary>
    public bool IsDead => Volatile.Read(ref _state) is Dead;

    /// <summary>A client keeps it between two of its exchanges.</summary>
    public void Hold(long now) => Rest(now, Held, null);

    /// <summary>The pool keeps it.</summary>
    public void RestIn(UpstreamPool pool, long now) => Rest(now, Pooled, pool);

    /// <summary>Takes it for an exchange; false where it has ended meanwhile, or brings what nobody asked for. The caller then closes it, unless the pool already has.</summary>
    /// <remarks>
    /// Looked at right here, and not only by the watch: bytes that came before the request was sent would be taken for its answer, and a request sent into
    /// an end that has come already would be lost (RFC 9112 §9.2, §9.3.1). What comes later nobody can tell from an answer.
    /// </remarks>
    public bool TryTake()
    {
        int state = Volatile.Read(ref _state);
        if (state is not (Held or Pooled) || Interlocked.CompareExchange(ref _state, InUse, state) != state)
        {
            return false;
        }

        connection.Input.Unwatch();
        _pool = null;
        IsReused = true;
        Arrival arrival = connection.Input.Look();
        if (arrival is Arrival.Bytes)
        {
            tally.UnsolicitedResponse();
        }

        return arrival is Arrival.Nothing;
    }

    public void OnPeerEnded() => EndIdle();

    public void OnBytesUnasked()
    {
        if (EndIdle())
        {
            tally.UnsolicitedResponse();
        }
    }

    /// <summary>Ends an idle connection. One that is in use is left to its user.</summary>
    /// <returns>Whether this call ended it.</returns>
    public bool EndIdle()
    {
        if (Interlocked.CompareExchange(ref _state, Dead, Held) == Held)
        {
            // Its client closes it when it looks next; until then nothing lingers in CLOSE_WAIT.
            connection.ShutdownOutput();
            connection.Abort();
            return true;
        }

        if (Interlocked.CompareExchange(ref _state, Dead, Pooled) == Pooled)
        {
            _pool?.Forget(this);
            connection.Close(reset: false);
            return true;
        }

        return false;
    }

    private void Rest(long now, int state, UpstreamPool? pool)
    {
        IdleSince = now;
        _pool = pool;
        Volatile.Write(ref _state, state);
        connection.Input.Watch(this, forBytes: true);
    }
}
