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
        ProcessTree? subject = plan.SubjectProcess == 0 ? null : new ProcessTree(plan.SubjectProcess);
        Workload workload = Workload.For(loop, plan);
        workload.Open();
        Drive(loop, workload, plan.WarmUpSeconds, () => false);

        CpuReading? before = subject?.ReadCpu();
        workload.Recorder.StartWindow();
        Drive(loop, workload, plan.Seconds, () => false);
        double seconds = workload.Recorder.EndWindow();
        CpuReading? after = subject?.ReadCpu();
        long resident = subject?.ResidentBytes() ?? 0;

        workload.CheckWindow(seconds);
        workload.Stop();
        Drive(loop, workload, LongestWaitForAnswers, () => workload.Outstanding == 0);

        metrics[Metric.UnitsPerSecond] = workload.Recorder.Units / seconds;
        workload.Recorder.Latencies.Report(metrics);
        if (before is not null && after is not null)
        {
            ReportSubject(metrics, after.Since(before), workload, seconds);
            metrics[Metric.Resident] = resident;
        }

        return workload.Outstanding == 0 ? metrics : throw new WrongAnswerException($"{workload.Outstanding} answers are missing.");
    }

    private static void ReportSubject(Dictionary<string, double> metrics, double cpuNanoseconds, Workload workload, double seconds)
    {
        metrics[Metric.CoreUse] = cpuNanoseconds / (seconds * Clock.Second) * 100;
        if (workload.HasOneUnit && workload.Recorder.Units > 0)
        {
            metrics[Metric.CpuPerUnit] = cpuNanoseconds / 1000 / workload.Recorder.Units;
        }
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
