using System.Text;
using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class CorsRuleTests
{
    private static readonly CorsRule Rule = new(["https://app.example.com", "http://localhost:6274"]);

    [Fact]
    public void PreflightOfAListedOriginNamesWhatMcpNeeds()
    {
        Assert.True(Rule.TryAnswerPreflight("http://localhost:6274"u8, asked: default, out ReadOnlyMemory<byte> lines));

        string text = Encoding.ASCII.GetString(lines.Span);
        Assert.StartsWith("Access-Control-Allow-Origin: http://localhost:6274\r\n", text, StringComparison.Ordinal);
        Assert.Contains("Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "Access-Control-Allow-Headers: Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID\r\n",
            text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Credentials", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
    }

    /// <summary>Which fields there are, servers and clients decide; the origin is the operator's.</summary>
    [Theory]
    [InlineData("mcp-param-region, traceparent")]
    [InlineData("x-custom,authorization")]
    [InlineData("a")]
    public void PreflightOfAListedOriginAllowsTheFieldsItAsksFor(string asked)
    {
        Assert.True(Rule.TryAnswerPreflight("http://localhost:6274"u8, Encoding.ASCII.GetBytes(asked), out ReadOnlyMemory<byte> lines));

        Assert.Contains($"\r\nAccess-Control-Allow-Headers: {asked}\r\n", Encoding.ASCII.GetString(lines.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a,,b")]
    [InlineData("a,")]
    [InlineData("a:b")]
    [InlineData("a\tb")]
    [InlineData("\"a\"")]
    public void WhatIsNoListOfNamesIsNotRepeated(string asked)
    {
        Assert.True(Rule.TryAnswerPreflight("http://localhost:6274"u8, Encoding.ASCII.GetBytes(asked), out ReadOnlyMemory<byte> lines));

        Assert.Contains("\r\nAccess-Control-Allow-Headers: Authorization, ", Encoding.ASCII.GetString(lines.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void ListThatIsTooLongIsNotRepeated()
    {
        Assert.True(Rule.TryAnswerPreflight("http://localhost:6274"u8, Encoding.ASCII.GetBytes(new string('a', 2049)), out ReadOnlyMemory<byte> lines));

        Assert.True(lines.Length < 1000);
    }

    [Fact]
    public void AnswerToAListedOriginExposesTheSessionAndTheChallenge() =>
        Assert.Equal(
            "Access-Control-Allow-Origin: https://app.example.com\r\nVary: Origin\r\nAccess-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n",
            Encoding.ASCII.GetString(Rule.AnswerLinesFor("https://app.example.com"u8).Span));

    [Theory]
    [InlineData("https://app.example.com:443")]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("")]
    public void OtherOriginIsToldNothing(string origin)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(origin);

        Assert.False(Rule.TryAnswerPreflight(bytes, asked: default, out _));
        Assert.Equal("Vary: Origin\r\n", Encoding.ASCII.GetString(Rule.AnswerLinesFor(bytes).Span));
    }

    [Fact]
    public void RuleWithoutOriginsIsOff()
    {
        var off = new CorsRule([]);

        Assert.False(off.IsOn);
        Assert.True(off.AnswerLinesFor("https://app.example.com"u8).IsEmpty);
    }

    [Fact]
    public void WildcardIsRefusedAtStart() => Assert.Throws<ArgumentException>(() => new CorsRule(["*"]));
}
