using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

public sealed class ReuseRuleTests
{
    private static readonly bool[] Both = [false, true];

    /// <summary>The whole product: a connection goes on only where both directions are done and its own peer wants to.</summary>
    [Fact]
    public void OnlyAWholeExchangeIsFollowedByAnother()
    {
        foreach (SendState send in Enum.GetValues<SendState>())
        {
            foreach (ReceiveState receive in Enum.GetValues<ReceiveState>())
            {
                foreach ((bool client, bool upstream) in Both.SelectMany(client => Both.Select(upstream => (client, upstream))))
                {
                    bool whole = send == SendState.Done && receive == ReceiveState.Done;

                    Assert.Equal((whole && client, whole && upstream), ReuseRule.Decide(send, receive, client, upstream));
                }
            }
        }
    }

    [Theory]
    [InlineData(true, true, true, 0, true)]
    [InlineData(false, true, true, 0, false)]
    [InlineData(true, false, true, 0, false)]
    [InlineData(true, true, false, 0, false)]
    [InlineData(true, true, true, 1, false)]
    public void ASecondAttemptIsMadeOnceAndOnlyWhereItDoesNoHarm(bool wasReused, bool isHeld, bool isIdempotent, int attempt, bool retries) =>
        Assert.Equal(retries, ReuseRule.MayRetry(wasReused, isHeld, isIdempotent, attempt));
}
