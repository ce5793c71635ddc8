namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>CPU time of a process tree at one moment: by thread in nanoseconds, and by process in clock ticks.</summary>
internal sealed record CpuReading(IReadOnlyDictionary<string, double> Threads, double Ticks)
{
    // User and system time are each rounded to a tick of 10 ms.
    private const double TickErrors = 20_000_000;

    /// <summary>Nanoseconds used since an earlier reading.</summary>
    /// <remarks>
    /// The sum over threads is exact but forgets threads that have ended; the ticks remember them but are coarse.
    /// So the ticks count only where they say that more is missing than they could be wrong by.
    /// </remarks>
    public double Since(CpuReading earlier)
    {
        double byThread = Threads.Sum(thread => thread.Value - earlier.Threads.GetValueOrDefault(thread.Key));
        return Math.Max(byThread, Ticks - earlier.Ticks - TickErrors);
    }
}
