namespace McpProxyFast.Transport;

/// <summary>
/// Frees memory after many connections have been opened or closed: what was needed only to create them, and what the closed ones held. The request path
/// allocates nothing, so without this the garbage collector might not run for a long time.
/// </summary>
/// <param name="countOpen">Returns the number of open connections.</param>
/// <param name="collect">Frees the memory.</param>
internal sealed class BurstCollector(Func<int> countOpen, Action collect) : IHeartbeatListener
{
    /// <summary>
    /// How much the number of open connections must change for a collection. A smaller change does not justify the pause that a collection causes.
    /// </summary>
    private const int MinBurst = 1_000;

    /// <summary>How long the number of open connections must stay the same before a collection, so that one burst causes only one.</summary>
    private const int QuietMilliseconds = 500;

    /// <summary>The number of open connections at the last collection; 0 before the first.</summary>
    private int _atLastCollection;

    /// <summary>The number of open connections at the last beat.</summary>
    private int _last;

    /// <summary>The heartbeat's time at which that number last changed.</summary>
    private long _quietSince;

    /// <summary>Frees unused memory at once.</summary>
    public static void Collect()
    {
        Buffers.Trim();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    public void OnBeat(long nowMilliseconds)
    {
        int open = countOpen();
        if (open != _last)
        {
            _last = open;
            _quietSince = nowMilliseconds;
        }

        if (Math.Abs(open - _atLastCollection) >= MinBurst && nowMilliseconds - _quietSince >= QuietMilliseconds)
        {
            _atLastCollection = open;
            collect();
        }
    }
}
