using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.House.Tests;

/// <summary>The closed lists of violations, refusals and faults: every reason has its entry, and no two can be taken for each other.</summary>
public sealed class RefusalTableTests
{
    private static IEnumerable<RefusalReason> Refusals => Enum.GetValues<RefusalReason>().Where(reason => reason is not RefusalReason.None);

    private static IEnumerable<Violation> Broken => Enum.GetValues<Violation>().Where(violation => violation is not Violation.None);

    private static IEnumerable<FaultReason> Faults => Enum.GetValues<FaultReason>().Where(reason => reason is not FaultReason.None);

    [Fact]
    public void EveryRefusalHasAStatusACodeASentenceAndARule() => Assert.All(Refusals, reason =>
    {
        Refusal refusal = Refusal.For(reason);
        Assert.True(refusal.Status is (>= 400 and <= 499) or 501 or 505 or 508, $"{reason}: {refusal.Status}");
        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", refusal.Code);
        Assert.NotEqual("", refusal.Sentence);
        Assert.Matches("^(RFC [0-9]+ §[0-9.]+|MCP .+)$", refusal.Rule);
    });

    /// <summary>Form, error code and challenge go together: a challenge only with the statuses that carry one, an error code only in OAuth's form.</summary>
    [Fact]
    public void EveryRefusalIsWordedInOneForm() => Assert.All(Refusals, reason =>
    {
        Refusal refusal = Refusal.For(reason);
        Assert.Equal(refusal.Form is RefusalForm.OAuth, refusal.OAuthError.Length > 0);
        Assert.True(refusal.Challenge is ChallengeKind.None || refusal.Form is RefusalForm.OAuth, $"{reason}: {refusal.Challenge}");
        Assert.True(refusal.Status != 401 || refusal.Challenge is not ChallengeKind.None, $"{reason}: RFC 9110 §15.5.2 asks for a challenge.");
    });

    [Fact]
    public void EveryViolationHasACodeAndARule() => Assert.All(Broken, violation =>
    {
        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", Violations.CodeOf(violation));
        Assert.Matches("^RFC [0-9]+ §[0-9.]+$", Violations.RuleOf(violation));
    });

    [Fact]
    public void EveryFaultHasAStatusACodeAndASentence() => Assert.All(Faults, reason =>
    {
        Fault fault = Fault.For(reason);
        Assert.True(fault.Status is 0 or 502 or 503 or 504, $"{reason}: {fault.Status}");
        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", fault.Code);
        Assert.NotEqual("", fault.Sentence);
    });

    [Fact]
    public void NoTwoReasonsShareACode()
    {
        IEnumerable<string> refusals = Refusals.Select(reason => Refusal.For(reason).Code).Concat(Broken.Select(Violations.CodeOf)).Distinct();
        Assert.Equal(Broken.Count(), Broken.Select(Violations.CodeOf).Distinct().Count());
        Assert.Equal(Refusals.Count(), Refusals.Select(reason => Refusal.For(reason).Code).Distinct().Count());
        string[] codes = [.. refusals, .. Faults.Select(reason => Fault.For(reason).Code)];
        Assert.Equal(codes.Length, codes.Distinct().Count());
    }

    [Fact]
    public void NoTwoReasonsShareASentence()
    {
        string[] sentences = [.. Refusals.Select(reason => Refusal.For(reason).Sentence), .. Faults.Select(reason => Fault.For(reason).Sentence)];
        Assert.Equal(sentences.Length, sentences.Distinct().Count());
    }

    [Fact]
    public void ReasonOutsideTheListHasNoEntry()
    {
        Assert.Throws<System.Diagnostics.UnreachableException>(() => Refusal.For((RefusalReason)255));
        Assert.Throws<System.Diagnostics.UnreachableException>(() => Violations.RuleOf((Violation)255));
        Assert.Throws<System.Diagnostics.UnreachableException>(() => Fault.For((FaultReason)255));
    }
}
