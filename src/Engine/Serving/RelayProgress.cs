using McpProxyFast.Relay;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>What the heartbeat remembers of a relay from beat to beat, so that the relay itself need not look at a clock.</summary>
internal struct RelayProgress
{
    /// <summary>The lower half of the number of the exchange that this is about.</summary>
    private int _number;

    /// <summary>The relay's steps at the last beat at which they had changed.</summary>
    private uint _steps;

    /// <summary>The bytes that had reached the sink's peer when a write was first seen to wait; -1 while none is.</summary>
    private long _delivered;

    /// <summary>When the relay was first seen.</summary>
    private long _startedAt;

    /// <summary>Since when it has not moved.</summary>
    public long Since { get; private set; }

    /// <summary>Looks at the relay.</summary>
    /// <param name="number">The number of the exchange that it is about.</param>
    /// <param name="relay">The relay.</param>
    /// <param name="now">The time.</param>
    /// <returns>What the relay waits for.</returns>
    public RelayPhase Follow(long number, BodyRelay relay, long now)
    {
        uint steps = relay.Steps;
        if ((int)number != _number || Since == 0)
        {
            _number = (int)number;
            _steps = steps;
            Restart(now);
        }
        else if (steps != _steps)
        {
            _steps = steps;
            _delivered = -1;
            Since = now;
        }

        return relay.Phase;
    }

    /// <summary>Whether a write has waited too long without a byte reaching the peer: who takes some, however slowly, is not gone.</summary>
    /// <param name="sink">Where the relay writes to.</param>
    /// <param name="now">The time.</param>
    /// <param name="limit">How long is too long.</param>
    public bool IsStuckWriting(ConnectionWriter sink, long now, TimeSpan limit)
    {
        bool isOver = now - Since > limit.TotalMilliseconds;
        if (_delivered >= 0 && !isOver)
        {
            return false;
        }

        long delivered = sink.CountDelivered();
        if (_delivered >= 0 && delivered == _delivered)
        {
            return true;
        }

        Since = _delivered >= 0 ? now : Since;
        _delivered = delivered;
        return false;
    }

    public void Restart(long now)
    {
        Since = now;
        _startedAt = now;
        _delivered = -1;
    }

    /// <summary>Whether a body that has had its grace came slower than a rate, on average.</summary>
    public readonly bool IsBelow(BodyRelay relay, long now, long graceMilliseconds, int bytesPerSecond)
    {
        long elapsed = now - _startedAt;
        return elapsed > graceMilliseconds && relay.MovedBytes < elapsed / 1000 * bytesPerSecond;
    }
}
