using McpProxyFast.OAuth.Discovery;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class ChallengeParserTests
{
    [Theory]
    [InlineData("Bearer", "Bearer")]
    [InlineData("Bearer realm=\"a, b\", Basic realm=x", "Bearer[realm=a, b] Basic[realm=x]")]
    [InlineData("Negotiate abc==, bearer error=\"invalid_token\" , scope = \"a b\"", "Negotiate bearer[error=invalid_token,scope=a b]")]
    [InlineData("Basic, DPoP algs=\"ES256\", Bearer resource_metadata=\"https://a/b?c=d\"", "Basic DPoP[algs=ES256] Bearer[resource_metadata=https://a/b?c=d]")]
    [InlineData("Bearer realm=\"say \\\"hi\\\"\"", "Bearer[realm=say \"hi\"]")]
    [InlineData(",, Bearer ,error=x", "Bearer[error=x]")]
    [InlineData("Bearer Realm=x, REALM=y", "Bearer[Realm=x]")]
    public void ChallengesAreReadByTheGrammar(string value, string expected)
    {
        IEnumerable<string> found = ChallengeParser.Parse(value).Select(challenge =>
            challenge.Scheme + (challenge.Parameters.Count == 0 ? "" : $"[{string.Join(',', challenge.Parameters.Select(pair => $"{pair.Key}={pair.Value}"))}]"));

        Assert.Equal(expected, string.Join(' ', found));
    }

    [Theory]
    [InlineData("Bearer realm=\"open", "Bearer")]
    [InlineData("Bearer a=1 b=2, Basic", "Bearer[a]")]
    [InlineData("=x, Bearer", "")]
    public void WhatFollowsAGrammarErrorIsNotRead(string value, string expected)
    {
        IEnumerable<string> found = ChallengeParser.Parse(value).Select(challenge =>
            challenge.Scheme + (challenge.Parameters.Count == 0 ? "" : $"[{string.Join(',', challenge.Parameters.Keys)}]"));

        Assert.Equal(expected, string.Join(' ', found));
    }

    [Fact]
    public void TheChallengeThatNamesTheMetadataIsChosenAmongAllFields()
    {
        Challenge? chosen = Challenge.Choose(["Basic realm=x", "Bearer scope=\"a\"", "bearer resource_metadata=\"https://m\""]);

        Assert.Equal("https://m", chosen?.ResourceMetadata);
    }

    [Fact]
    public void AChallengeOfAnotherSchemeAsksForNoToken()
    {
        Assert.Null(Challenge.Choose(["Basic realm=\"Bearer\"", "BearerX realm=y"]));
    }
}
