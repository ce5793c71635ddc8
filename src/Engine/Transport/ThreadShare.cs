namespace McpProxyFast.Transport;

/// <summary>How many buffers and pooled objects one thread keeps for later connections.</summary>
/// <remarks>
/// There is one event loop per processor, and each serves thousands of connections. The runtime's pool threads can be many under load, and they come and go. So
/// each of them keeps only a sixteenth of what an event loop's thread keeps: a hundred of them hold no more than a few loops do.
/// </remarks>
internal static class ThreadShare
{
    private const int PoolThreadsShare = 16;

    [ThreadStatic]
    private static bool t_isLoop;

    /// <summary>Called by an event loop on its thread when it starts: the thread may keep the full number.</summary>
    public static void ClaimLoopsShare() => t_isLoop = true;

    /// <summary>
    /// How many buffers or objects the current thread may keep: <paramref name="most"/> if it is an event loop's, otherwise a sixteenth of that.
    /// </summary>
    public static int Of(int most) => t_isLoop ? most : most / PoolThreadsShare;
}
