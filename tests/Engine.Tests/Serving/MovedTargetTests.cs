using System.Text;
using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

/// <summary>Which URL an operator is told to set when the target redirects, and when none.</summary>
public sealed class MovedTargetTests
{
    [Theory]
    [InlineData("http://h.example/api/mcp", "/mcp", "/api/mcp/", "http://h.example/api/mcp/")]
    [InlineData("http://h.example/api/mcp", "/", "/v2/mcp", "http://h.example/v2/mcp")]
    [InlineData("http://h.example/api/mcp", "/api/mcp", "mcp/", "http://h.example/api/mcp/")]
    [InlineData("http://h.example/mcp", "/mcp", "https://H.example/mcp", "https://h.example/mcp")]
    [InlineData("http://h.example", "/mcp", "/mcp/", "http://h.example/mcp/")]
    [InlineData("https://h.example/mcp", "/mcp", "https://h.example:8443/v2", "https://h.example:8443/v2")]
    [InlineData("https://h.example/mcp", "/mcp", "/mcp/?token=secret#part", "https://h.example/mcp/")]
    public void RedirectOfTheTargetNamesTheUrlWithoutItsQuery(string target, string path, string location, string url) =>
        Assert.Equal(url, Find(target, path, location));

    /// <summary>A pumped request's path may be gone. A slash more or less, and another scheme, still say that it is the target that has moved.</summary>
    [Theory]
    [InlineData("http://h.example/api/mcp", "/api/mcp/", "http://h.example/api/mcp/")]
    [InlineData("http://h.example/api/mcp/", "https://h.example/api/mcp", "https://h.example/api/mcp")]
    [InlineData("http://h.example", "/mcp/", "http://h.example/mcp/")]
    [InlineData("http://h.example", "/login", null)]
    [InlineData("http://h.example/api/mcp", "/v2/mcp", null)]
    public void RedirectOfARequestWhosePathIsGoneNamesTheUrlIfOnlyASlashOrTheOriginDiffers(string target, string location, string? url) =>
        Assert.Equal(url, Find(target, "", location));

    /// <summary>The operator would hand over a credential there.</summary>
    [Theory]
    [InlineData("https://other.example/mcp")]
    [InlineData("//other.example/mcp")]
    [InlineData("http://h.example/mcp/")]
    [InlineData("https://h.example@other.example/mcp")]
    [InlineData("https://user:secret@h.example/mcp/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("file:///mcp/")]
    [InlineData("https://h.example/mcp")]
    [InlineData("//[")]
    [InlineData("")]
    public void RedirectElsewhereNamesNoUrl(string location) => Assert.Null(Find("https://h.example/mcp", "/mcp", location));

    [Fact]
    public void RedirectOfAnotherPathNamesNoUrl() => Assert.Null(Find("https://h.example/mcp", "/sse", "/sse/"));

    [Fact]
    public void LongUrlIsNotNamed()
    {
        Assert.Null(Find("https://h.example/mcp", "/mcp", "/" + new string('a', 500)));
        Assert.Null(Find("https://h.example/mcp", "/mcp", "/" + new string('a', 490)));
        Assert.NotNull(Find("https://h.example/mcp", "/mcp", "/" + new string('a', 400)));
    }

    private static string? Find(string target, string path, string location) =>
        MovedTarget.Find(new Uri(target), Encoding.ASCII.GetBytes(path), Encoding.ASCII.GetBytes(location));
}
