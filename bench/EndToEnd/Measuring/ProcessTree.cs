using System.Globalization;

namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>What a process and its children have used, read from <c>/proc</c>.</summary>
internal sealed class ProcessTree
{
    private const double NanosecondsPerTick = 10_000_000;

    private readonly int[] _processes;

    public ProcessTree(int root)
    {
        ILookup<int, int> children = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out int process) ? process : 0)
            .Where(process => process != 0)
            .ToLookup(ParentOf);
        _processes = [.. WithDescendants(root, children)];
    }

    /// <summary>The tree of a process that may not be there: 0 stands for none.</summary>
    public static ProcessTree? Find(int root) => root == 0 ? null : new(root);

    /// <summary>Whether all processes of another tree are among these.</summary>
    public bool Includes(ProcessTree other) => other._processes.All(_processes.Contains);

    /// <summary>Resident bytes of all processes together. Pages that they share are counted for each.</summary>
    public long ResidentBytes() => _processes.Sum(process => BytesOf(process, "VmRSS:"));

    /// <summary>The most that was resident since each process started.</summary>
    public long MostResidentBytes() => _processes.Sum(process => BytesOf(process, "VmHWM:"));

    public CpuReading ReadCpu() => new(
        _processes.SelectMany(ThreadsOf).ToDictionary(thread => thread, NanosecondsOf),
        _processes.Sum(TicksOf));

    private static IEnumerable<int> WithDescendants(int process, ILookup<int, int> children) =>
        children[process].SelectMany(child => WithDescendants(child, children)).Prepend(process);

    private static string[] ThreadsOf(int process)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (IOException)
        {
            return []; // ended, as in Read
        }
    }

    private static double NanosecondsOf(string thread) => Number(Read($"{thread}/schedstat").Split(' ')[0]);

    private static double TicksOf(int process)
    {
        string[] fields = StatOf(process);
        return fields.Length > 12 ? (Number(fields[11]) + Number(fields[12])) * NanosecondsPerTick : 0;
    }

    private static int ParentOf(int process) => StatOf(process) is { Length: > 1 } fields ? (int)Number(fields[1]) : 0;

    // The command, in brackets, may hold blanks; what follows it is plain.
    private static string[] StatOf(int process)
    {
        string stat = Read($"/proc/{process}/stat");
        return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static long BytesOf(int process, string field)
    {
        string line = Read($"/proc/{process}/status").Split('\n').FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal)) ?? "0 0 kB";
        return (long)Number(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    private static double Number(string text) => double.TryParse(text, CultureInfo.InvariantCulture, out double number) ? number : 0;

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // Threads and processes may end between being listed and being read.
            return string.Empty;
        }
    }
}
