namespace McpProxyFast.Transport;

/// <summary>How much one thread keeps for its next connections, of buffers and of pooled objects.</summary>
/// <remarks>
/// An event loop serves thousands of connections and there is one per processor. Threads of the runtime's pool are many where it is busy, and come and go:
/// each keeps a sixteenth, so that a hundred of them hold no more than a few loops.
/// </remarks>
internal static class ThreadShare
{
    private const int PoolThreadsShare = 16;

    [ThreadStatic]
    private static bool t_isLoop;

    /// <summary>Said by an event loop at its start: this thread serves a loop's share of all connections.</summary>
    public static void ClaimLoopsShare() => t_isLoop = true;

    /// <summary>What this thread may keep, where a loop keeps <paramref name="most"/>.</summary>
    public static int Of(int most) => t_isLoop ? most : most / PoolThreadsShare;
}
