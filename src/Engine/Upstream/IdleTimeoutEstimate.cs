namespace McpProxyFast.Upstream;

/// <summary>Estimates how long the upstream keeps idle connections. Learns that from the idle connections that the upstream closes.</summary>
/// <remarks>
/// A server with a time limit closes idle connections at the same idle time, again and again. Other closes happen at any idle time: a restart closes all
/// connections at once, and a server may drop one for reasons of its own. So an idle time counts only if two closes happened at about that idle time, and were
/// at least <see cref="Apart"/> ms apart. The shortest idle time that counts is the estimate. It is forgotten if no close has confirmed it for
/// <see cref="Memory"/>, because the server may have been replaced. How a connection ends makes no difference: firewalls drop idle connections with a reset.
/// <para>Times are the heartbeat's, in milliseconds. Any number of threads may call the methods at the same time. None takes a lock.</para>
/// </remarks>
internal sealed class IdleTimeoutEstimate
{
    /// <summary>How long an estimate is used after the last close that confirmed it, in milliseconds.</summary>
    public const long Memory = 10 * 60 * 1000;

    /// <summary>Closes at a shorter idle time, in milliseconds, are ignored. No server has such a short limit, so such a close has another reason.</summary>
    public const long Shortest = 500;

    /// <summary>Two closes must be at least this many milliseconds apart to confirm each other. Closes that a restart causes are closer together.</summary>
    public const long Apart = 500;

    /// <summary>
    /// A connection is no longer used this many milliseconds before the upstream's limit, or after half of the limit if that is later. A request needs time to
    /// arrive, and the clock is coarse.
    /// </summary>
    private const long Margin = 1000;

    /// <summary>
    /// Two idle times count as equal if they differ by at most this many milliseconds, or by at most an eighth: each is measured up to two heartbeats late.
    /// </summary>
    private const long Tolerance = 250;

    /// <summary>The value for "no time limit is known".</summary>
    private const long Unknown = long.MaxValue;

    /// <summary>What has been learned. Replaced as a whole, by compare-exchange.</summary>
    private Knowledge _known = new(Unknown, ConfirmedAt: 0, LastIdle: Unknown, LastAt: 0);

    /// <summary>Returns up to which idle time a connection may still be used, if the upstream closes it after <paramref name="timeout"/> ms.</summary>
    public static long WithMargin(long timeout) => timeout - Math.Min(Margin, timeout / 2);

    /// <summary>
    /// How long a connection may have been idle, according to the estimate, to be used for a request that must not be sent twice. <see cref="long.MaxValue"/>
    /// if there is no estimate.
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

    /// <summary>What has been learned from the closes so far.</summary>
    /// <param name="Timeout">The estimate; <see cref="Unknown"/> if there is none.</param>
    /// <param name="ConfirmedAt">When a close last confirmed it.</param>
    /// <param name="LastIdle">
    /// The idle time of the last close. If several closes with about the same idle time followed each other closely, that of the first.
    /// </param>
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
                return this; // the first of closes that follow each other closely is kept, so that a later close can confirm it
            }

            bool counts = repeats && (!isKnown || idle < Timeout);
            return counts
                ? new Knowledge(Math.Min(idle, LastIdle), now, idle, now)
                : this with { Timeout = isKnown ? Timeout : Unknown, LastIdle = idle, LastAt = now };
        }

        private static bool IsAbout(long one, long other) => other != Unknown && Math.Abs(one - other) <= Math.Max(Tolerance, Math.Max(one, other) / 8);
    }
}
