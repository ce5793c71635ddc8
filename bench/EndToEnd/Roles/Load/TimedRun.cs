using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load.Workloads;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Warms up, measures for a while, and waits for the answers that are still missing.</summary>
internal static class TimedRun
{
    private const double LongestWaitForAnswers = 10;

    public static Dictionary<string, double> Measure(EventLoop loop, LoadPlan plan)
    {
        var metrics = new Dictionary<string, double>();
        ProcessTree? subject = ProcessTree.Find(plan.SubjectProcess);
        var origin = new ProcessTree(plan.OriginProcess);
        Workload workload = Workload.For(loop, plan);
        workload.Open();
        Drive(loop, workload, plan.WarmUpSeconds, () => false);

        var cpu = new CpuWatch(subject, origin);
        workload.Recorder.StartWindow();
        Drive(loop, workload, plan.Seconds, () => false);
        double seconds = workload.Recorder.EndWindow();
        cpu.Report(metrics, workload.HasOneUnit ? workload.Recorder.Units : null);

        workload.CheckWindow(seconds);
        workload.Stop();
        Drive(loop, workload, LongestWaitForAnswers, () => workload.Outstanding == 0);
        if (workload.Outstanding > 0)
        {
            throw new WrongAnswerException($"{workload.Outstanding} answers are missing.");
        }

        if (workload.Recorder.Latencies.Count == 0)
        {
            throw new WrongAnswerException("Nothing that began in the measured window was completed in it.");
        }

        metrics[Metric.UnitsPerSecond] = workload.Recorder.Units / seconds;
        workload.Recorder.Latencies.Report(metrics);
        return metrics;
    }

    private static void Drive(EventLoop loop, Workload workload, double seconds, Func<bool> isOver)
    {
        long end = Clock.Now + Clock.FromSeconds(seconds);
        while (Clock.Now is long now && now < end && !isOver())
        {
            workload.RunDue(now);
            loop.Poll(Math.Min(workload.NextDue, end));
        }
    }
}
