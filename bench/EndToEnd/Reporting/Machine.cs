using System.Runtime.InteropServices;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>The kind of machine that a run was made on; nothing that names the machine itself.</summary>
internal sealed record Machine(string Processor, int Cores, long MemoryMiB, string Kernel, string Runtime)
{
    public static Machine Read()
    {
        string processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) ?? ": unknown";
        return new(
            processor[(processor.IndexOf(':') + 1)..].Trim(),
            Environment.ProcessorCount,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024 * 1024),
            File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            RuntimeInformation.FrameworkDescription);
    }
}
