using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Outcomes;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class BearerChallengeTests
{
    private static readonly TokenPolicy Policy = TokenPolicy.Oidc("https://login.example.com", "aud");

    [Fact]
    public void RequestWithoutCredentialsGetsNoErrorCode() =>
        Assert.Equal(
            "WWW-Authenticate: Bearer resource_metadata=\"http://localhost:8080/.well-known/oauth-protected-resource/mcp\", scope=\"openid\"\r\n",
            Line(Policy, ChallengeKind.NoCredentials, "localhost:8080", "/mcp"));

    [Fact]
    public void BadTokenGetsAGenericDescription() =>
        Assert.Equal(
            "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"The access token is not valid\", resource_metadata=\"http://localhost:8080/.well-known/oauth-protected-resource\", scope=\"openid\"\r\n",
            Line(Policy, ChallengeKind.InvalidToken, "localhost:8080", "/"));

    [Fact]
    public void MissingScopeNamesTheRequiredOnes()
    {
        string line = Line(Policy with { RequiredScopes = ["mcp:read", "mcp:write"] }, ChallengeKind.InsufficientScope, "localhost:8080", "/mcp");

        Assert.Contains("error=\"insufficient_scope\"", line, StringComparison.Ordinal);
        Assert.Contains("scope=\"mcp:read mcp:write\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://mcp.example.com/mcp", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp")]
    [InlineData("https://mcp.example.com/", "https://mcp.example.com/.well-known/oauth-protected-resource")]
    [InlineData("https://mcp.example.com", "https://mcp.example.com/.well-known/oauth-protected-resource")]
    [InlineData("https://mcp.example.com/a/b/", "https://mcp.example.com/.well-known/oauth-protected-resource/a/b/")]
    [InlineData("https://mcp.example.com:8443/mcp?tenant=1", "https://mcp.example.com:8443/.well-known/oauth-protected-resource/mcp?tenant=1")]
    public void ResourceUrlNamesTheMetadata(string resourceUrl, string metadataUrl) =>
        Assert.Contains($"resource_metadata=\"{metadataUrl}\"", Line(Policy with { ResourceUrl = resourceUrl }, ChallengeKind.NoCredentials, "other.example", "/x"), StringComparison.Ordinal);

    [Fact]
    public void RequestWithoutHostIsChallengedWithoutMetadata() =>
        Assert.Equal("WWW-Authenticate: Bearer scope=\"openid\"\r\n", Line(Policy, ChallengeKind.NoCredentials, "", "/mcp"));

    [Theory]
    [InlineData(null, "http://localhost:8080/.well-known/oauth-protected-resource/mcp")]
    [InlineData("https://mcp.example.com/mcp", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp")]
    public void StepUpNamesWhatIsAskedForAndWhereToSignIn(string? resourceUrl, string metadataUrl)
    {
        var stepUp = new StepUpChallenge("insufficient_claims", Claims: "e30=", AcrValues: "gold", MaxAge: "60");
        ReadOnlyMemory<byte> line = new BearerChallenge(Policy with { ResourceUrl = resourceUrl })
            .LineFor(ChallengeKind.StepUp, "http", "localhost:8080"u8, "/mcp"u8, announced: null, stepUp);

        Assert.Equal(
            $"WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"e30=\", acr_values=\"gold\", max_age=\"60\", resource_metadata=\"{metadataUrl}\", scope=\"openid\"\r\n",
            Encoding.ASCII.GetString(line.Span));
    }

    private static string Line(TokenPolicy policy, ChallengeKind kind, string host, string path) =>
        Encoding.ASCII.GetString(new BearerChallenge(policy).LineFor(kind, "http", Encoding.ASCII.GetBytes(host), Encoding.ASCII.GetBytes(path)).Span);
}
