using McpProxyFast.Transport;

namespace McpProxyFast.Soak;

/// <summary>What this process holds: open descriptors, and managed memory after a full collection.</summary>
internal readonly record struct Footprint(int Descriptors, long ManagedBytes)
{
    /// <summary>Those that wait here. Any other has nothing to do, and ends (see the project file).</summary>
    private const int MaxPoolThreads = 4;

    /// <summary>Looks without a change, at 10 ms each: longer than an idle connection to the upstream is kept.</summary>
    private const int EnoughLooks = 300;

    /// <summary>How much more memory there may be than before: the buffers that each event loop may keep, of which some had more in use, and a little.</summary>
    public static long Slack => (Environment.ProcessorCount * 3L * 1024 * 1024) + (4L * 1024 * 1024);

    /// <summary>Waits until nothing changes any more, the pool's threads have ended, and what they had kept has gone with them.</summary>
    /// <param name="isQuiet">What else must hold.</param>
    /// <param name="maxDescriptors">How many descriptors may be left.</param>
    public static async Task<Footprint> SettleAsync(Func<bool> isQuiet, int maxDescriptors = int.MaxValue)
    {
        int last = 0;
        int same = 0;
        try
        {
            await Patience.UntilAsync(() =>
            {
                int now = CountDescriptors();
                same = now == last && now <= maxDescriptors && ThreadPool.ThreadCount <= MaxPoolThreads && isQuiet() ? same + 1 : 0;
                last = now;
                return same == EnoughLooks;
            });
        }
        catch (TimeoutException)
        {
            Console.WriteLine($"not settled: {last} descriptors, {ThreadPool.ThreadCount} threads of the pool"); // whether that is a fault, the caller says
        }

        return Take();
    }

    public override string ToString() => $"{Descriptors} descriptors, {ManagedBytes / 1024} KiB";

    private static Footprint Take()
    {
        BurstCollector.Collect(); // with the engine's reserve of buffers, which is bounded and may be fuller than before
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return new Footprint(CountDescriptors(), GC.GetTotalMemory(forceFullCollection: true));
    }

    private static int CountDescriptors() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;
}
