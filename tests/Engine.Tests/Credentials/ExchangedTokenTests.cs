using McpProxyFast.Credentials;
using McpProxyFast.Tokens;
using Xunit;

namespace McpProxyFast.Engine.Tests.Credentials;

public sealed class ExchangedTokenTests
{
    private const int Ways = 4;
    private const long Second = TimeSpan.TicksPerSecond;
    private const long Start = 1_000 * Second;

    private static readonly TokenDigest Digest = TokenDigest.Of("request"u8);

    [Fact]
    public void LongestUnusedMakesRoom()
    {
        var cache = new TokenCache<ExchangedToken>(Ways);
        ExchangedToken[] set = [.. Enumerable.Range(0, Ways).Select(index => Token(index))];
        Array.ForEach(set, token => cache.Add(token, Start));
        foreach (ExchangedToken used in (ExchangedToken[])[set[0], set[2], set[3]])
        {
            used.Use(Start + (2 * Second));
        }

        cache.Add(Token(Ways), Start + (3 * Second));

        Assert.Null(cache.Find(set[1].Digest, Start, epoch: 0));
        Assert.All([set[0], set[2], set[3]], token => Assert.Same(token, cache.Find(token.Digest, Start, epoch: 0)));
    }

    [Fact]
    public void RenewalIsTheTaskOfOne()
    {
        ExchangedToken token = Token(0);

        Assert.False(token.Use(Start + (49 * Second)));
        Assert.True(token.Use(Start + (50 * Second)));
        Assert.False(token.Use(Start + (50 * Second)));
        token.RenewLater(Start + (60 * Second));
        Assert.False(token.Use(Start + (59 * Second)));
        Assert.True(token.Use(Start + (60 * Second)));
    }

    [Fact]
    public void TokenThatWasEndedIsVoidForThoseWhoRememberIt()
    {
        ExchangedToken token = Token(0);
        token.End();

        Assert.False(token.IsLive(Start));
    }

    [Fact]
    public void TokenIsForTheVeryTokensThatItWasExchangedFor()
    {
        ExchangedToken token = Token(0);

        Assert.True(token.IsFor("subject"u8, "actor"u8));
        Assert.False(token.IsFor("subject2"u8, "actor"u8));
        Assert.False(token.IsFor("subject"u8, ""u8));
        Assert.False(token.IsFor("subjectactor"u8, ""u8));
        Assert.False(token.IsFor(""u8, ""u8));
    }

    [Fact]
    public void DigestOfThreePartsDependsOnEachAndOnItsPlace()
    {
        TokenDigest a = TokenDigest.Of("a"u8);
        TokenDigest b = TokenDigest.Of("b"u8);
        TokenDigest none = TokenDigest.Of(""u8);

        Assert.Equal(5, new HashSet<TokenDigest> { TokenDigest.Of(a, b, none), TokenDigest.Of(b, a, none), TokenDigest.Of(a, none, b), TokenDigest.Of(none, a, b), TokenDigest.Of(a, b, b) }.Count);
    }

    private static ExchangedToken Token(int index) => new(
        Digest with { D = (ulong)index },
        new ExchangeInput("subject"u8.ToArray(), "actor"u8.ToArray()),
        "Bearer new",
        "Authorization",
        new ExchangeSpan(Start, Start + (50 * Second), Start + (100 * Second)));
}
