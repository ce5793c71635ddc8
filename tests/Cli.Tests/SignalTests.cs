using System.Diagnostics;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>What the tests start heeds the signals that they send, also where they run in the background of a script, which ignores some.</summary>
public sealed class SignalTests
{
    [Theory]
    [InlineData("HUP")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    [InlineData("TERM")]
    public async Task SignalEndsWhatTheTestsStart(string signal)
    {
        var start = new ProcessStartInfo("sh", ["-c", $"ulimit -c 0; kill -{signal} $$; echo ignored"]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;

        Assert.Equal("", await child.StandardOutput.ReadToEndAsync().Soon());
        await child.WaitForExitAsync().Soon();
        Assert.NotEqual(0, child.ExitCode);
    }
}
