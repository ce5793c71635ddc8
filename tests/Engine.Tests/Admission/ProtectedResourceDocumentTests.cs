using System.Text;
using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class ProtectedResourceDocumentTests
{
    private static readonly TokenPolicy Policy = TokenPolicy.Oidc("https://login.example.com", "aud");

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource", true, "")]
    [InlineData("/.well-known/oauth-protected-resource/", true, "/")]
    [InlineData("/.well-known/oauth-protected-resource/mcp", true, "/mcp")]
    [InlineData("/.well-known/oauth-protected-resource/a/b", true, "/a/b")]
    [InlineData("/.well-known/oauth-protected-resource-other", false, "")]
    [InlineData("/.well-known/oauth-authorization-server", false, "")]
    [InlineData("/mcp/.well-known/oauth-protected-resource", false, "")]
    [InlineData("/", false, "")]
    public void OnlyTheExactAndThePathInsertedFormMatch(string path, bool matches, string resourcePath)
    {
        Assert.Equal(matches, ProtectedResourceDocument.Matches(Encoding.ASCII.GetBytes(path), out ReadOnlySpan<byte> found));
        if (matches)
        {
            Assert.Equal(resourcePath, Encoding.ASCII.GetString(found));
        }
    }

    [Fact]
    public void ResourceIsWhatTheRequestCallsIt() =>
        Assert.Equal(
            """{"resource":"http://localhost:8080/mcp","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"],"scopes_supported":["openid"]}""",
            Text(Policy, "localhost:8080", "/mcp"));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public void RootFormNamesTheOrigin(string path) =>
        Assert.Contains("\"resource\":\"http://localhost:8080\"", Text(Policy, "localhost:8080", path), StringComparison.Ordinal);

    [Fact]
    public void ResourceUrlIsKeptAsWritten() =>
        Assert.Contains("\"resource\":\"https://mcp.example.com\"", Text(Policy with { ResourceUrl = "https://mcp.example.com" }, "x", "/mcp"), StringComparison.Ordinal);

    [Fact]
    public void RequiredScopesAreAdvertisedAndOfflineAccessIsNot() =>
        Assert.Contains(
            "\"scopes_supported\":[\"openid\",\"mcp\"]",
            Text(Policy with { AdvertisedScopes = ["openid", "offline_access"], RequiredScopes = ["mcp"] }, "x", ""),
            StringComparison.Ordinal);

    [Fact]
    public void UnknownIssuerIsLeftOut() =>
        Assert.DoesNotContain("authorization_servers", Text(new JwtPolicy(new Uri("https://a.example/keys")), "x", ""), StringComparison.Ordinal);

    [Fact]
    public void NamelessResourceHasNoDocument() => Assert.Empty(Text(Policy, "", "/mcp"));

    private static string Text(TokenPolicy policy, string host, string path) =>
        Encoding.UTF8.GetString(new ProtectedResourceDocument(policy).Write("http", Encoding.ASCII.GetBytes(host), Encoding.ASCII.GetBytes(path)).Span);
}
