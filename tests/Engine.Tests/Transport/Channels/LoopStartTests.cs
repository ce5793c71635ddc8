using System.ComponentModel;
using System.Runtime.InteropServices;
using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>Event loops that the system has no room for.</summary>
/// <remarks>Alone: the process has no descriptor left for a moment, and no other test may hold the loops.</remarks>
[Collection(nameof(LoopStartTests))]
[CollectionDefinition(nameof(LoopStartTests), DisableParallelization = true)]
public sealed partial class LoopStartTests
{
    private const int Descriptors = 7; // RLIMIT_NOFILE

    [Fact]
    public void LoopsThatCouldNotBeMadeAreTriedAgain()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using var loops = new EventLoops();
        _ = new Win32Exception(24).Message; // whatever that needs is loaded while there still are descriptors
        Exception? fault = WithoutDescriptors(() => Record.Exception(() => loops.Next()));

        Assert.IsType<Win32Exception>(fault);
        Assert.NotNull(loops.Next());
    }

    private static T WithoutDescriptors<T>(Func<T> run)
    {
        Assert.Equal(0, getrlimit(Descriptors, out Bounds before));
        Bounds none = before with { Soft = 0 };
        try
        {
            Assert.Equal(0, setrlimit(Descriptors, in none));
            return run();
        }
        finally
        {
            Assert.Equal(0, setrlimit(Descriptors, in before));
        }
    }

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out Bounds bounds);

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, in Bounds bounds);

    private record struct Bounds(nuint Soft, nuint Hard);
}
