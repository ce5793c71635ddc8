namespace McpProxyFast.Transport;

/// <summary>
/// Frees memory after a burst of connections: garbage from creating them, and what closed ones held. The request path allocates nothing, so the garbage
/// collector would not run by itself.
/// </summary>
/// <param name="countOpen">The number of open connections.</param>
/// <param name="collect">Frees the memory.</param>
internal sealed class BurstCollector(Func<int> countOpen, Action collect) : IHeartbeatListener
{
    /// <summary>A smaller burst of connections is not worth pausing the process.</summary>
    private const int MinBurst = 1_000;

    /// <summary>How long the number of connections must be stable, so that a burst causes one collection.</summary>
    private const int QuietMilliseconds = 500;

    private int _atLastCollection;
    private int _last;
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
