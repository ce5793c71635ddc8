using McpProxyFast.Relay;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>What the heartbeat remembers of a relay between beats, so that the relay itself need not read a clock.</summary>
internal struct RelayProgress
{
    /// <summary>The lower 32 bits of the number of the observed exchange.</summary>
    private int _number;

    /// <summary>The relay's step counter when it was last seen to change.</summary>
    private uint _steps;

    /// <summary>The number of bytes that had reached the peer when they were last counted for the present write; -1 if they were not counted yet.</summary>
    private long _delivered;

    /// <summary>When the relay was first seen, or last restarted.</summary>
    private long _startedAt;

    /// <summary>When progress was last seen.</summary>
    public long Since { get; private set; }

    /// <summary>Looks whether the relay has made progress since the last call.</summary>
    /// <param name="number">The number of the observed exchange.</param>
    /// <param name="relay">The relay to observe.</param>
    /// <param name="now">The present time.</param>
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

    /// <summary>Whether a write has waited too long without a byte reaching the peer. A peer that reads some bytes, however slowly, is not gone.</summary>
    /// <param name="sink">Where the relay writes.</param>
    /// <param name="now">The present time.</param>
    /// <param name="limit">The longest time without a byte.</param>
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

    /// <summary>
    /// Whether a body is slower on average than a rate. Never true during a grace period, which begins when the relay was first seen, or last restarted.
    /// </summary>
    public readonly bool IsBelow(BodyRelay relay, long now, long graceMilliseconds, int bytesPerSecond)
    {
        long elapsed = now - _startedAt;
        return elapsed > graceMilliseconds && relay.MovedBytes < elapsed / 1000 * bytesPerSecond;
    }
}
