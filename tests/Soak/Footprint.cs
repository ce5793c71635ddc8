namespace McpProxyFast.Soak;

/// <summary>What this process holds: open descriptors, and managed memory after a full collection.</summary>
internal readonly record struct Footprint(int Descriptors, long ManagedBytes)
{
    public static Footprint Take()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect();
        int descriptors = Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;
        return new Footprint(descriptors, GC.GetTotalMemory(forceFullCollection: true));
    }

    public override string ToString() => $"{Descriptors} descriptors, {ManagedBytes / 1024} KiB";
}
