using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load.Workloads;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>What silent streams cost in memory that all come at once to a process that has just started, as after a restart of it.</summary>
internal static class ColdStreamMemory
{
    /// <summary>All streams are asked for within this time.</summary>
    public const double OpeningSeconds = 0.2;

    public static Dictionary<string, double> Measure(EventLoop loop, LoadPlan plan)
    {
        var metrics = new Dictionary<string, double>();
        ProcessTree? subject = ProcessTree.Find(plan.SubjectProcess);
        long before = subject?.ResidentBytes() ?? 0;
        var streams = new OpenStreams(loop, plan);
        metrics[Metric.OpeningMilliseconds] = 1000 * streams.OpenAtOnce(OpeningSeconds);
        StreamMemory.Wait(loop, plan.SettleSeconds);
        long open = subject?.ResidentBytes() ?? 0;
        long most = subject?.MostResidentBytes() ?? 0;

        streams.Close();
        StreamMemory.Wait(loop, plan.SettleSeconds);
        if (subject is not null)
        {
            metrics[Metric.Resident] = open;
            metrics[Metric.BytesPerStream] = (open - before) / (double)plan.Streams;
            metrics[Metric.MostBytesPerStream] = (most - before) / (double)plan.Streams;
            metrics[Metric.KeptAfterClose] = subject.ResidentBytes() - before;
        }

        return metrics;
    }
}
