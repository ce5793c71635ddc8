using McpProxyFast.Credentials;

namespace McpProxyFast.Engine.Tests.Credentials;

public sealed class CredentialScopeTests
{
    [Fact]
    public void PathOfAResourceThatBeginsWithTwoSlashesIsNoOtherHost()
    {
        var scope = new CredentialScope(new Uri("https://mcp.example"), isForOrigin: false);

        scope.Settle("//other.example/mcp");

        Assert.Equal("https://mcp.example//other.example/mcp", scope.Resource?.AbsoluteUri);
        Assert.True(scope.Covers("//other.example/mcp"u8));
        Assert.False(scope.Covers("/mcp"u8));
    }
}
