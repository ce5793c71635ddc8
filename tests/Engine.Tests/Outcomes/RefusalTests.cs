using System.Diagnostics;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Engine.Tests.Outcomes;

/// <summary>What a parser rejects becomes a refusal of the request, or a fault of the upstream, and keeps its code and rule.</summary>
public sealed class RefusalTests
{
    /// <summary>Only an upstream's message can break these.</summary>
    private static readonly Violation[] OfAnswers =
        [Violation.StatusLineInvalid, Violation.InterimWithBody, Violation.UnexpectedSwitch, Violation.TooManyInterim, Violation.UnsolicitedResponse];

    [Fact]
    public void EveryViolationOfARequestHasItsRefusalWithTheSameCodeAndRule() => Assert.All(
        Enum.GetValues<Violation>().Except([Violation.None, .. OfAnswers]),
        violation =>
        {
            Refusal refusal = Refusal.For(Refusal.ReasonFor(violation));
            Assert.Equal(violation, refusal.Violation);
            Assert.Equal((Violations.CodeOf(violation), Violations.RuleOf(violation)), (refusal.Code, refusal.Rule));
            Assert.Equal(violation.ToString(), Refusal.ReasonFor(violation).ToString());
        });

    [Fact]
    public void ViolationOfAnAnswerIsNoRefusal() => Assert.All(OfAnswers, violation => Assert.Throws<UnreachableException>(() => Refusal.ReasonFor(violation)));

    [Fact]
    public void NoViolationIsNoRefusal() => Assert.Equal(RefusalReason.None, Refusal.ReasonFor(Violation.None));
}
