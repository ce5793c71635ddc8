namespace McpProxyFast.Bench.Tests;

/// <summary>A test of what the benchmark does on Linux, where alone it runs.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "The benchmark reads /proc and waits with epoll: it runs on Linux only.";
}
