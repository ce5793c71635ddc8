namespace McpProxyFast.Transport;

/// <summary>
/// Gives memory back after a burst of connections: what making them left behind, and what closed ones held. Nothing is allocated on the request path, so no
/// collection would come by itself.
/// </summary>
/// <param name="countOpen">The number of open connections.</param>
/// <param name="collect">Gives the memory back.</param>
internal sealed class BurstCollector(Func<int> countOpen, Action collect) : IHeartbeatListener
{
    /// <summary>A burst of fewer connections is not worth stopping the process for.</summary>
    private const int LeastBurst = 1_000;

    /// <summary>The count has to hold still this long: one collection for one burst.</summary>
    private const int QuietMilliseconds = 500;

    private int _atLastCollection;
    private int _last;
    private long _quietSince;

    /// <summary>Gives back what nobody holds, at once.</summary>
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

        if (Math.Abs(open - _atLastCollection) >= LeastBurst && nowMilliseconds - _quietSince >= QuietMilliseconds)
        {
            _atLastCollection = open;
            collect();
        }
    }
}
