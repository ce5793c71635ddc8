namespace McpProxyFast.Transport;

/// <summary>Gives memory back after a burst of connections. Nothing is allocated on the request path, so no collection would come by itself.</summary>
/// <param name="countOpen">The number of open connections.</param>
internal sealed class BurstCollector(Func<int> countOpen) : IHeartbeatListener
{
    /// <summary>Fewer closed connections than this hold too little to stop the process for.</summary>
    private const int LeastClosed = 500;

    /// <summary>The count has to hold still this long: one collection for one burst.</summary>
    private const int QuietMilliseconds = 500;

    private int _peak;
    private int _last;
    private long _quietSince;

    public void OnBeat(long nowMilliseconds)
    {
        int open = countOpen();
        _peak = Math.Max(_peak, open);
        if (open != _last)
        {
            _last = open;
            _quietSince = nowMilliseconds;
        }

        if (_peak - open >= LeastClosed && open <= _peak / 2 && nowMilliseconds - _quietSince >= QuietMilliseconds)
        {
            _peak = open;
            Buffers.Trim();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
