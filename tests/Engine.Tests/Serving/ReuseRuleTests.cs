using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

public sealed class ReuseRuleTests
{
    private static readonly bool[] Both = [false, true];

    /// <summary>The whole product: a connection goes on only where both directions are done, nothing was cancelled, and its own peer wants to.</summary>
    [Fact]
    public void OnlyAWholeExchangeIsFollowedByAnother()
    {
        foreach (SendState send in Enum.GetValues<SendState>())
        {
            foreach (ReceiveState receive in Enum.GetValues<ReceiveState>())
            {
                foreach ((bool client, bool upstream, bool disturbed) in Both.SelectMany(one => Both.SelectMany(two => Both.Select(three => (one, two, three)))))
                {
                    bool whole = send == SendState.Done && receive == ReceiveState.Done && !disturbed;

                    Assert.Equal((whole && client, whole && upstream), ReuseRule.Decide(send, receive, client, upstream, disturbed));
                }
            }
        }
    }

    [Theory]
    [InlineData(true, true, false, true)]
    [InlineData(false, true, false, false)]
    [InlineData(true, false, false, false)]
    [InlineData(true, true, true, false)]
    public void AnOwnAnswerIsFollowedByAnotherExchangeOnlyWithoutADoubt(bool clientKeepsAlive, bool isAnswered, bool isDisturbed, bool goesOn) =>
        Assert.Equal(goesOn, ReuseRule.DecideAfterOwnReply(clientKeepsAlive, isAnswered, isDisturbed));

    [Theory]
    [InlineData(true, true, true, 0, true)]
    [InlineData(false, true, true, 0, false)]
    [InlineData(true, false, true, 0, false)]
    [InlineData(true, true, false, 0, false)]
    [InlineData(true, true, true, 1, false)]
    public void ASecondAttemptIsMadeOnceAndOnlyWhereItDoesNoHarm(bool wasReused, bool isHeld, bool isIdempotent, int attempt, bool retries) =>
        Assert.Equal(retries, ReuseRule.MayRetry(wasReused, isHeld, isIdempotent, attempt));
}
