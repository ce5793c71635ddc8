using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load.Workloads;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>What silent streams cost in memory, and what of it stays after they have closed: opened slowly, on a process that has served streams before.</summary>
internal static class StreamMemory
{
    // Enough to have loaded what a first stream loads, so that it does not count for the streams that follow.
    private const int WarmUpStreams = 64;

    public static Dictionary<string, double> Measure(EventLoop loop, LoadPlan plan)
    {
        var metrics = new Dictionary<string, double>();
        ProcessTree? subject = ProcessTree.Find(plan.SubjectProcess);
        var streams = new OpenStreams(loop, plan);
        streams.Open(WarmUpStreams);
        streams.Close();
        Wait(loop, plan.WarmUpSeconds);
        long before = subject?.ResidentBytes() ?? 0;

        streams.Open(plan.Streams);
        Wait(loop, plan.Seconds);
        long open = subject?.ResidentBytes() ?? 0;

        streams.Close();
        Wait(loop, plan.Seconds);
        if (subject is not null)
        {
            metrics[Metric.Resident] = open;
            metrics[Metric.BytesPerStream] = (open - before) / (double)plan.Streams;
            metrics[Metric.KeptAfterClose] = subject.ResidentBytes() - before;
        }

        return metrics;
    }

    /// <summary>Serves the loop for a time.</summary>
    public static void Wait(EventLoop loop, double seconds)
    {
        for (long end = Clock.Now + Clock.FromSeconds(seconds); Clock.Now < end;)
        {
            loop.Poll(end);
        }
    }
}
