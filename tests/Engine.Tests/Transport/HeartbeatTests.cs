using System.Diagnostics;
using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>The heartbeat needs no thread that a host's code could block.</summary>
public sealed class HeartbeatTests
{
    [Fact]
    public async Task BeatOfTheSystemsClockComesOnAThreadOfItsOwn()
    {
        using Heartbeat heartbeat = Heartbeat.Share(TimeProvider.System);
        var listener = new Listener();
        int number = heartbeat.Add(listener);

        Assert.False(await listener.IsOnThePool.Task.Soon());
        heartbeat.Remove(number);
    }

    /// <summary>In a process of its own, all threads of the pool are blocked. See <see cref="StarvedPool"/>.</summary>
    [Fact]
    public async Task DeadlineFiresWhileAllThreadsOfThePoolAreBlocked()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // elsewhere connections themselves are served by the pool
        }

        using Process child = Process.Start(new ProcessStartInfo("dotnet", [typeof(HeartbeatTests).Assembly.Location]) { RedirectStandardError = true })!;
        try
        {
            string errors = await child.StandardError.ReadToEndAsync().Soon();
            await child.WaitForExitAsync().Soon();

            Assert.True(child.ExitCode == StarvedPool.ExitCode, $"It ended with {child.ExitCode}. {errors}");
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
    }

    /// <summary>Says where the first beat has come.</summary>
    private sealed class Listener : IHeartbeatListener
    {
        public TaskCompletionSource<bool> IsOnThePool { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnBeat(long nowMilliseconds) => IsOnThePool.TrySetResult(Thread.CurrentThread.IsThreadPoolThread);
    }
}
