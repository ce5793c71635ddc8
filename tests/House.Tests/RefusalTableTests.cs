using McpProxyFast.Outcomes;

namespace McpProxyFast.House.Tests;

/// <summary>The closed lists of refusals and faults: every reason has its entry, and no two can be taken for each other.</summary>
public sealed class RefusalTableTests
{
    private static IEnumerable<RefusalReason> Refusals => Enum.GetValues<RefusalReason>().Where(reason => reason is not RefusalReason.None);

    private static IEnumerable<FaultReason> Faults => Enum.GetValues<FaultReason>().Where(reason => reason is not FaultReason.None);

    [Fact]
    public void EveryRefusalHasAStatusACodeASentenceAndARule() => Assert.All(Refusals, reason =>
    {
        Refusal refusal = Refusal.For(reason);
        Assert.True(refusal.Status is (>= 400 and <= 499) or 501 or 502 or 505, $"{reason}: {refusal.Status}");
        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", refusal.Code);
        Assert.NotEqual("", refusal.Sentence);
        Assert.Matches("^(RFC [0-9]+ §[0-9.]+|MCP .+)$", refusal.Rule);
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
        string[] codes = [.. Refusals.Select(reason => Refusal.For(reason).Code), .. Faults.Select(reason => Fault.For(reason).Code)];
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
        Assert.Throws<System.Diagnostics.UnreachableException>(() => Fault.For((FaultReason)255));
    }
}
