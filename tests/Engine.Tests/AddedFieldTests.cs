namespace McpProxyFast.Engine.Tests;

/// <summary>Which fields a host may add, and what it is told of those that it may not.</summary>
public sealed class AddedFieldTests
{
    [Theory]
    [InlineData("X-Tenant", "acme")]
    [InlineData("x", "")]
    [InlineData("Authorization", "Basic YTpi")]
    [InlineData("Cookie", "a=b; c=d")]
    [InlineData("X-Odd!#$%&'*+.^_`|~", "1")]
    [InlineData("X-Tab", "a\tb")]
    [InlineData("X-Blanks", "  a  ")]
    [InlineData("X-City", "Zürich")]
    [InlineData("Mcp-Tenant", "acme")]
    public void FieldThatHttpAllowsIsTaken(string name, string value) => Assert.Equal((name, value), (AddedField.Of(name, value).Name, AddedField.Of(name, value).Value));

    [Theory]
    [InlineData("Host")]
    [InlineData("Connection")]
    [InlineData("Keep-Alive")]
    [InlineData("TE")]
    [InlineData("Trailer")]
    [InlineData("Upgrade")]
    [InlineData("HTTP2-Settings")]
    [InlineData("Proxy-Authorization")]
    [InlineData("Proxy-Authenticate")]
    [InlineData("Proxy-Connection")]
    [InlineData("Proxy-Anything")]
    [InlineData("Proxy")]
    [InlineData("Transfer-Encoding")]
    [InlineData("Content-Length")]
    [InlineData("Expect")]
    [InlineData("Max-Forwards")]
    [InlineData("McpProxyFast-Hop")]
    [InlineData("DPoP")]
    [InlineData("Forwarded")]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Forwarded-Host")]
    [InlineData("X-Forwarded-Proto")]
    [InlineData("X-Forwarded-Port")]
    [InlineData("X-Real-Ip")]
    [InlineData("Content-Type")]
    [InlineData("Content-Encoding")]
    [InlineData("Mcp-Session-Id")]
    [InlineData("MCP-Protocol-Version")]
    [InlineData("Mcp-Method")]
    [InlineData("Mcp-Name")]
    [InlineData("Last-Event-ID")]
    public void NameThatIsNotTheHostsToSetIsRefusedInEverySpelling(string name)
    {
        foreach (string spelling in (string[])[name, name.ToUpperInvariant(), name.ToLowerInvariant(), name.Replace('-', '_')])
        {
            ArgumentException refused = Assert.Throws<ArgumentException>(nameof(name), () => AddedField.Of(spelling, "1"));
            Assert.Contains($"{spelling} cannot be added: it ", refused.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(nameof(name), () => AddedField.FromFile(spelling, "file"));
        }
    }

    /// <summary>A value may have slipped into the name: <c>Authorization: Bearer abc=</c> is how curl has it.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("Authorization: Bearer hunter2")]
    [InlineData("X Key hunter2")]
    [InlineData("X-Schlüssel-hunter2")]
    [InlineData("hunter2\r\nX")]
    [InlineData("hunter2\0")]
    public void WhatIsNoNameIsRefusedAndNotRepeated(string name)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(nameof(name), () => AddedField.Of(name, "1"));
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hunter2\r\nX-Evil: 1", "has a line break in it")]
    [InlineData("hunter2\n", "has a line break in it")]
    [InlineData("hunter2\r", "has a line break in it")]
    [InlineData("hunter2\0", "has a control character in it")]
    [InlineData("\x1Bhunter2", "has a control character in it")]
    [InlineData("hunter2\x7f", "has a control character in it")]
    [InlineData("hunter2\uFFFD", "is not UTF-8 text")]
    public void ValueThatCannotStandInAFieldIsRefusedAndNotRepeated(string value, string wrong)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(nameof(value), () => AddedField.Of("X-Key", value));
        Assert.Contains($"The value of X-Key {wrong}.", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HalfACharacterIsRefused() => Assert.Throws<ArgumentException>("value", () => AddedField.Of("X-Key", "\ud800"));

    [Fact]
    public void LengthsHaveTheirBounds()
    {
        string name = new('x', AddedField.MaxNameLength);
        string value = new('v', AddedField.MaxValueLength);
        Assert.Equal(value, AddedField.Of(name, value).Value);
        Assert.Throws<ArgumentException>(nameof(name), () => AddedField.Of(name + "x", value));
        Assert.Throws<ArgumentException>(nameof(value), () => AddedField.Of(name, value + "v"));
        Assert.Throws<ArgumentException>(nameof(value), () => AddedField.Of(name, new string('é', (AddedField.MaxValueLength / 2) + 1)));
    }

    [Fact]
    public void FieldIsNamedWithoutItsValue() => Assert.Equal("X-Key", AddedField.Of("X-Key", "hunter2").ToString());

    [Fact]
    public async Task MoreFieldsThanThereMayBeAreRefused()
    {
        var options = new McpProxyOptions { Target = new Uri("http://up.test") };
        AddedField[] fields = [.. Enumerable.Range(0, 65).Select(i => AddedField.Of($"X-{i}", "1"))];
        ArgumentException many = Assert.Throws<ArgumentException>(nameof(McpProxyOptions.AddedFields), () => new McpProxy(options with { AddedFields = fields }));
        Assert.Contains("65 fields are given", many.Message, StringComparison.Ordinal);
        await using var most = new McpProxy(options with { AddedFields = fields[1..] });

        AddedField[] large = [.. Enumerable.Range(0, 4).Select(i => AddedField.Of($"X-{i}", new string('v', AddedField.MaxValueLength)))];
        Assert.Throws<ArgumentException>(nameof(McpProxyOptions.AddedFields), () => new McpProxy(options with { AddedFields = large }));
        await using var some = new McpProxy(options with { AddedFields = large[1..] });
    }
}
