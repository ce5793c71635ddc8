namespace McpProxyFast.Upstream;

/// <summary>Learns how long the upstream keeps idle connections, from those that it closes.</summary>
/// <remarks>
/// A server with a time limit closes idle connections at the same idle time, again and again. Other closes happen at any idle time: a restart closes all
/// connections at once, and a server may drop one for reasons of its own. So an idle time counts only if two connections ended at about that time, one some
/// time after the other. The shortest idle time that counts is the estimate. It is forgotten if no close has confirmed it for <see cref="Memory"/>, because
/// the server may have been replaced. How a connection ends makes no difference: firewalls drop idle connections with a reset.
/// <para>Times are the heartbeat's, in milliseconds. Safe for any number of threads. Reading it costs one reference and one comparison.</para>
/// </remarks>
internal sealed class IdleTimeoutEstimate
{
    /// <summary>How long an estimate is used after the last close that confirmed it, in milliseconds.</summary>
    public const long Memory = 10 * 60 * 1000;

    /// <summary>Closes at a shorter idle time are ignored. No server has such a short limit; it closes so early for another reason.</summary>
    public const long Shortest = 500;

    /// <summary>How far apart two closes must be to confirm each other. Those of one restart are closer.</summary>
    public const long Apart = 500;

    /// <summary>How much earlier than the upstream's limit a connection is given up: a request needs time to arrive, and the clock is coarse.</summary>
    private const long Margin = 1000;

    /// <summary>Idle times that differ by at most this many ms, or by an eighth, count as equal: each is measured up to two heartbeats late.</summary>
    private const long Tolerance = 250;

    /// <summary>No time limit is known.</summary>
    private const long Unknown = long.MaxValue;

    /// <summary>What has been learned. Replaced as a whole, by compare-exchange.</summary>
    private Knowledge _known = new(Unknown, ConfirmedAt: 0, LastIdle: Unknown, LastAt: 0);

    /// <summary>How long a connection may be idle to be safe from a time limit of the upstream.</summary>
    public static long WithMargin(long timeout) => timeout - Math.Min(Margin, timeout / 2);

    /// <summary>
    /// How long a connection may have been idle for a request that must not be sent twice, according to the estimate; <see cref="long.MaxValue"/> if there is
    /// none.
    /// </summary>
    public long SafeIdle(long now)
    {
        Knowledge known = Volatile.Read(ref _known);
        return known.Timeout == Unknown || now - known.ConfirmedAt >= Memory ? Unknown : WithMargin(known.Timeout);
    }

    /// <summary>Learns from a connection that the upstream has closed while it was idle.</summary>
    /// <param name="idle">How long it had been idle.</param>
    /// <param name="now">The present time.</param>
    public void Closed(long idle, long now)
    {
        if (idle < Shortest)
        {
            return;
        }

        Knowledge before;
        do
        {
            before = Volatile.Read(ref _known);
        }
        while (Interlocked.CompareExchange(ref _known, before.With(idle, now), before) != before);
    }

    /// <summary>What has been learned up to one close.</summary>
    /// <param name="Timeout">The estimate; <see cref="Unknown"/> if there is none.</param>
    /// <param name="ConfirmedAt">When a close last confirmed it.</param>
    /// <param name="LastIdle">The idle time of the last close, or of the first one of a group that followed each other closely.</param>
    /// <param name="LastAt">When that close happened.</param>
    private sealed record Knowledge(long Timeout, long ConfirmedAt, long LastIdle, long LastAt)
    {
        public Knowledge With(long idle, long now)
        {
            bool isKnown = Timeout != Unknown && now - ConfirmedAt < Memory;
            if (isKnown && IsAbout(idle, Timeout))
            {
                return this with { ConfirmedAt = now, LastIdle = idle, LastAt = now };
            }

            bool repeats = IsAbout(idle, LastIdle);
            if (repeats && now - LastAt < Apart)
            {
                return this; // the first of the group is kept, so that a later close can confirm it
            }

            bool counts = repeats && (!isKnown || idle < Timeout);
            return counts
                ? new Knowledge(Math.Min(idle, LastIdle), now, idle, now)
                : this with { Timeout = isKnown ? Timeout : Unknown, LastIdle = idle, LastAt = now };
        }

        private static bool IsAbout(long one, long other) => other != Unknown && Math.Abs(one - other) <= Math.Max(Tolerance, Math.Max(one, other) / 8);
    }
}
