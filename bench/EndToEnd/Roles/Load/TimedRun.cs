using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load.Workloads;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Warms up until the subject's figure stands still, measures for a while, and waits for the answers that are still missing.</summary>
internal sealed class TimedRun
{
    // Counted from the last answer: on a busy machine all of them take long, but none of them takes for ever.
    private const double LongestSilence = 10;

    private readonly EventLoop _loop;
    private readonly LoadPlan _plan;
    private readonly Workload _workload;
    private readonly ProcessTree? _subject;

    private TimedRun(EventLoop loop, LoadPlan plan)
    {
        _loop = loop;
        _plan = plan;
        _workload = Workload.For(loop, plan);
        _subject = ProcessTree.Find(plan.SubjectProcess);
    }

    public static Dictionary<string, double> Measure(EventLoop loop, LoadPlan plan) => new TimedRun(loop, plan).Measure();

    private Dictionary<string, double> Measure()
    {
        var metrics = new Dictionary<string, double>();
        _workload.Open();
        WarmUp warmUp = Warm();
        warmUp.Report(metrics);

        var cpu = new CpuWatch(_subject, new ProcessTree(_plan.OriginProcess));
        _workload.Recorder.StartWindow();
        Drive(_plan.Seconds);
        double seconds = _workload.Recorder.EndWindow();
        cpu.Report(metrics, _workload.HasOneUnit ? _workload.Recorder.Units : null);

        _workload.Stop();
        AwaitAnswers();
        _workload.CheckWindow(seconds);
        if (_workload.Recorder.Latencies.Count == 0)
        {
            throw new TooSlowException("Nothing that began in the measured window was completed in it.");
        }

        metrics[Metric.UnitsPerSecond] = _workload.Recorder.Units / seconds;
        _workload.Recorder.Latencies.Report(metrics);
        return metrics;
    }

    private WarmUp Warm()
    {
        var warmUp = new WarmUp(_plan.WarmUpSeconds, _plan.MaxWarmUpSeconds);
        while (!warmUp.IsOver)
        {
            CpuReading? cpu = _subject?.ReadCpu();
            long units = _workload.Recorder.Total;
            long startedAt = Clock.Now;
            Drive(warmUp.WindowSeconds);
            double seconds = (Clock.Now - startedAt) / (double)Clock.Second;
            warmUp.Add(seconds, Figure(cpu, _workload.Recorder.Total - units, seconds));
        }

        return warmUp;
    }

    // What the window cost: CPU time per unit; without a subject the time per unit; and where units cost different things, at a fixed rate, CPU time per second.
    private double Figure(CpuReading? before, long units, double seconds)
    {
        double used = before is null ? seconds : _subject!.ReadCpu().Since(before);
        return used / (_workload.HasOneUnit ? Math.Max(units, 1) : seconds);
    }

    private void AwaitAnswers()
    {
        long progress = -1;
        while (_workload.Outstanding > 0)
        {
            if (_workload.Progress == progress)
            {
                throw new WrongAnswerException($"{_workload.Outstanding} answers or events are missing: none came for {LongestSilence} s.");
            }

            progress = _workload.Progress;
            Drive(LongestSilence, until: () => _workload.Outstanding == 0);
        }
    }

    private void Drive(double seconds, Func<bool>? until = null)
    {
        long end = Clock.Now + Clock.FromSeconds(seconds);
        while (Clock.Now is long now && now < end && until?.Invoke() is not true)
        {
            _workload.RunDue(now);
            _loop.Poll(Math.Min(_workload.NextDue, end));
        }
    }
}
