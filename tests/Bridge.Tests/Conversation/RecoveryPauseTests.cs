using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>How long the bridge waits before it makes a new session for the server's own stream.</summary>
public sealed class RecoveryPauseTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void FirstNewSessionIsMadeAtOnceAndTheNextOnesAfterGrowingPauses()
    {
        var pauses = new RecoveryPause(_clock);

        double[] seconds = [.. Enumerable.Range(0, 8).Select(_ =>
        {
            TimeSpan pause = pauses.Next();
            _clock.Advance(pause + TimeSpan.FromSeconds(1));
            return pause.TotalSeconds;
        })];

        Assert.Equal([0, 1, 2, 4, 8, 16, 30, 30], seconds);
    }

    [Fact]
    public void SessionThatLastedIsReplacedAtOnce()
    {
        var pauses = new RecoveryPause(_clock);
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 3).Select(_ => pauses.Next().TotalSeconds));

        _clock.Advance(TimeSpan.FromSeconds(2) + BridgeLimits.MaxRetry + TimeSpan.FromTicks(1));

        Assert.Equal(TimeSpan.Zero, pauses.Next());
    }
}
