using System.Globalization;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>Who used the machine's cores during a window: the subject, and whatever is not part of the benchmark.</summary>
internal sealed class CpuWatch
{
    private const double NanosecondsPerTick = 10_000_000;
    private const int Columns = 8;

    // Of the columns of /proc/stat: idle and waiting for a disk. Those after the eighth are parts of others.
    private static readonly int[] UnusedColumns = [3, 4];

    private readonly ProcessTree? _subject;
    private readonly ProcessTree[] _all;
    private readonly CpuReading? _subjectBefore;
    private readonly CpuReading[] _allBefore;
    private readonly double _machineBefore;
    private readonly long _startedAt;

    /// <summary>Starts the window.</summary>
    /// <param name="subject">The subject, if there is one.</param>
    /// <param name="origin">The origin; this process, the load, is counted as part of the benchmark too, with the subject where that is its child.</param>
    public CpuWatch(ProcessTree? subject, ProcessTree origin)
    {
        _subject = subject;
        var load = new ProcessTree(Environment.ProcessId);
        _all = [origin, load, .. subject is null || load.Includes(subject) ? (ProcessTree[])[] : [subject]];
        _allBefore = [.. _all.Select(tree => tree.ReadCpu())];
        _machineBefore = MachineNanoseconds();
        _subjectBefore = subject?.ReadCpu();
        _startedAt = Clock.Now;
    }

    /// <summary>Ends the window and reports it; the units are what the subject's CPU time is divided by, if that means something.</summary>
    public void Report(IDictionary<string, double> metrics, long? units)
    {
        double window = Clock.Now - _startedAt;
        if (_subject is not null && _subjectBefore is not null)
        {
            double used = _subject.ReadCpu().Since(_subjectBefore);
            metrics[Metric.CoreUse] = used / window * 100;
            if (units > 0)
            {
                metrics[Metric.CpuPerUnit] = used / 1000 / units.Value;
            }

            metrics[Metric.Resident] = _subject.ResidentBytes();
        }

        double ours = _all.Zip(_allBefore, (tree, before) => tree.ReadCpu().Since(before)).Sum();
        metrics[Metric.OtherUse] = Math.Max(0, (MachineNanoseconds() - _machineBefore - ours) / window * 100);
    }

    private static double MachineNanoseconds()
    {
        string[] columns = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
        return NanosecondsPerTick * columns
            .Take(Columns)
            .Where((_, column) => !UnusedColumns.Contains(column))
            .Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture));
    }
}
