using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Engine.Tests.Rewriting;

public sealed class TargetRuleTests
{
    [Theory]
    [InlineData("http://u/", "/", "/")]
    [InlineData("http://u/", "/mcp?a", "/mcp?a")]
    [InlineData("http://u/v2/mcp", "/", "/v2/mcp")]
    [InlineData("http://u/v2/mcp", "/mcp", "/v2/mcp")]
    [InlineData("http://u/v2/mcp", "/v2/mcp", "/v2/mcp")]
    [InlineData("http://u/v2/mcp", "/mcp/", "/v2/mcp")]
    [InlineData("http://u/v2/mcp", "/mcp/?a=b", "/v2/mcp?a=b")]
    [InlineData("http://u/mcp", "/mcp/", "/mcp")]
    [InlineData("http://u/mcp/", "/mcp", "/mcp/")]
    [InlineData("http://u/", "/mcp/", "/mcp/")]
    [InlineData("http://u/v2/mcp", "/mcp//", "/mcp//")]
    [InlineData("http://u/v2/mcp", "/v2/mcp/", "/v2/mcp/")]
    [InlineData("http://u/v2/mcp", "/messages?id=1", "/messages?id=1")]
    [InlineData("http://u/v2/mcp", "/mcp?a=b", "/v2/mcp?a=b")]
    [InlineData("http://u/v2/mcp", "/mcp??a", "/v2/mcp??a")]
    [InlineData("http://u/v2/mcp", "/mcp?", "/v2/mcp?")]
    [InlineData("http://u/v2/mcp?x=1", "/mcp", "/v2/mcp?x=1")]
    [InlineData("http://u/v2/mcp?x=1", "/mcp?a=b", "/v2/mcp?x=1&a=b")]
    [InlineData("http://u/v2/mcp?x=1", "/other", "/other?x=1")]
    [InlineData("http://u/v2/mcp?x=1", "/mcp?", "/v2/mcp?x=1")]
    [InlineData("http://u/", "/a/../b%2Fc;d", "/a/../b%2Fc;d")]
    [InlineData("http://u/", "http://h.test", "/")]
    [InlineData("http://u/", "http://h.test?q??", "/?q??")]
    [InlineData("http://u/v2", "http://h.test/x?", "/x?")]
    public void TargetIsMappedByBytes(string upstream, string received, string sent)
    {
        RequestHead head = Heads.Request($"GET {received} HTTP/1.1\r\nHost: h.test\r\n\r\n");
        var rewriter = new RequestRewriter(new Uri(upstream), ForwardedRule.Off);

        Assert.StartsWith($"GET {sent} HTTP/1.1\r\n", Capture.Of(output => rewriter.Write(head, default, output)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("http://h.test")]
    public void OptionsForTheWholeServerStaysSo(string target)
    {
        RequestHead head = Heads.Request($"OPTIONS {target} HTTP/1.1\r\nHost: h.test\r\n\r\n");
        var rewriter = new RequestRewriter(new Uri("http://u/v2"), ForwardedRule.Off);

        Assert.StartsWith("OPTIONS * HTTP/1.1\r\n", Capture.Of(output => rewriter.Write(head, default, output)), StringComparison.Ordinal);
    }
}
