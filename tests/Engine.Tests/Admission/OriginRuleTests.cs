using System.Net;
using System.Text;
using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class OriginRuleTests
{
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 8080);
    private static readonly IPEndPoint Public = new(IPAddress.Any, 8080);

    [Theory]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("HTTP://LocalHost:8080", true)]
    [InlineData("http://localhost:8081", false)]
    [InlineData("http://localhost", false)]
    [InlineData("http://evil.example", false)]
    [InlineData("http://localhost:8080.evil.example", false)]
    [InlineData("http://user@localhost:8080", false)]
    [InlineData("http://localhost:8080/", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void LoopbackListenerAllowsItsOwnOrigins(string origin, bool allowed) =>
        Assert.Equal(allowed, Rule(Loopback).AllowsOrigin(Bytes(origin)));

    [Theory]
    [InlineData("localhost:8080", true)]
    [InlineData("127.0.0.1:8080", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("LOCALHOST:8080", true)]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]", true)]
    [InlineData("host.docker.internal:8080", true)]
    [InlineData("host.docker.internal", true)]
    [InlineData("localhost:8081", false)]
    [InlineData("localhost:80801", false)]
    [InlineData("localhost:", false)]
    [InlineData("localhost.", false)]
    [InlineData("host.docker.internal:8081", false)]
    [InlineData("host.docker.internal.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("localhost@evil.example", false)]
    [InlineData("rebound.example", false)]
    [InlineData("rebound.example:8080", false)]
    [InlineData("localhost.evil.example:8080", false)]
    [InlineData("", true)]
    public void LoopbackListenerAllowsItsOwnHosts(string host, bool allowed) =>
        Assert.Equal(allowed, Rule(Loopback).AllowsHost(Bytes(host)));

    [Fact]
    public void SchemePortMayBeLeftOut()
    {
        OriginRule rule = Rule(new IPEndPoint(IPAddress.IPv6Loopback, 80));

        Assert.True(rule.AllowsHost("localhost"u8));
        Assert.True(rule.AllowsHost("[::1]"u8));
        Assert.True(rule.AllowsOrigin("http://localhost"u8));
        Assert.False(rule.AllowsHost("localhost:8080"u8));
    }

    [Fact]
    public void OtherLoopbackAddressIsAnOwnNameToo() =>
        Assert.True(Rule(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 8080)).AllowsHost("127.0.0.2:8080"u8));

    [Theory]
    [InlineData("mcp.example.com", true)]
    [InlineData("MCP.example.com:8443", true)]
    [InlineData("mcp.example.com:1", true)]
    [InlineData("mcp.example.com:", false)]
    [InlineData("mcp.example.com:123456", false)]
    [InlineData("mcp.example.com:80a", false)]
    [InlineData("mcp.example.com.evil.example", false)]
    [InlineData("evil-mcp.example.com", false)]
    [InlineData("[2001:db8::1]", true)]
    [InlineData("[2001:db8::1]:443", true)]
    [InlineData("[2001:db8::11]", false)]
    public void HostWithoutAPortMeansEveryPort(string host, bool allowed) =>
        Assert.Equal(allowed, Rule(Public, hosts: ["mcp.example.com", "[2001:db8::1]"]).AllowsHost(Bytes(host)));

    /// <summary>Whoever adds a name for others must not lock the programs of this machine out.</summary>
    [Fact]
    public void OwnNamesStayAllowedBesideAListOfHosts()
    {
        OriginRule rule = Rule(Loopback, hosts: ["mcp.example.com:8443"]);

        Assert.True(rule.AllowsHost("localhost:8080"u8));
        Assert.True(rule.AllowsHost("localhost"u8));
        Assert.False(rule.AllowsHost("localhost:8443"u8));
        Assert.False(Rule(Public, hosts: ["mcp.example.com"]).AllowsHost("localhost:8080"u8));
    }

    [Fact]
    public void ListOfOriginsReplacesTheDerivedOnes()
    {
        OriginRule rule = Rule(Loopback, origins: ["https://app.example.com"], hosts: ["mcp.example.com:8443"]);

        Assert.True(rule.AllowsOrigin("https://APP.example.com"u8));
        Assert.False(rule.AllowsOrigin("https://app.example.com:443"u8));
        Assert.False(rule.AllowsOrigin("http://localhost:8080"u8));
        Assert.True(rule.AllowsHost("mcp.example.com:8443"u8));
        Assert.False(rule.AllowsHost("mcp.example.com"u8));
        Assert.False(rule.AllowsHost("evil.example:8443"u8));
        Assert.False(rule.AllowsHost(""u8));
    }

    [Fact]
    public void PublicListenerWithoutListChecksNothing()
    {
        OriginRule rule = Rule(Public, cors: ["https://app.example.com"]);

        Assert.True(rule.AllowsOrigin("https://anything.example"u8));
        Assert.True(rule.AllowsHost("anything.example"u8));
    }

    [Fact]
    public void StarAllowsEveryHostAndLeavesOriginsChecked()
    {
        OriginRule rule = Rule(Loopback, hosts: ["*"]);

        Assert.True(rule.AllowsHost("anything.example"u8));
        Assert.False(rule.AllowsOrigin("https://anything.example"u8));
    }

    [Fact]
    public void CorsOriginsPassWhereOriginsAreChecked()
    {
        OriginRule rule = Rule(Loopback, cors: ["https://app.example.com"]);

        Assert.True(rule.AllowsOrigin("https://app.example.com"u8));
        Assert.True(rule.AllowsOrigin("http://localhost:8080"u8));
    }

    [Theory]
    [InlineData("app.example.com")]
    [InlineData("https://app.example.com/")]
    [InlineData("https://user@app.example.com")]
    [InlineData("https://")]
    [InlineData("://app")]
    [InlineData("*")]
    [InlineData("null")]
    [InlineData("https://a, https://b")]
    [InlineData("https://a:port")]
    public void EntryThatIsNoOriginIsRefusedAtStart(string entry)
    {
        var error = Assert.Throws<ArgumentException>(() => Rule(Loopback, origins: [entry]));

        Assert.Contains(entry, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://mcp.example.com")]
    [InlineData("mcp.example.com/")]
    [InlineData("mcp.example.com:")]
    [InlineData("*.example.com")]
    [InlineData("")]
    public void EntryThatIsNoHostIsRefusedAtStart(string entry) =>
        Assert.Throws<ArgumentException>(() => Rule(Loopback, hosts: [entry]));

    [Fact]
    public void AnswersAllocateNothing()
    {
        OriginRule rule = Rule(Loopback);
        rule.AllowsOrigin("http://[::1]:8080"u8);
        rule.AllowsHost("[::1]:8080"u8);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            rule.AllowsOrigin("http://[::1]:8080"u8);
            rule.AllowsHost("[::1]:8080"u8);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>What checks nothing goes on checking nothing, and lists of origins are taken as they are.</summary>
    [Fact]
    public void NamesOutsideAreAddedOnlyWhereTheListenersOwnAreChecked()
    {
        PublicNames outside = PublicNames.Of(new Uri("https://[2001:db8::1]:8443/mcp"), []);

        Assert.True(new OriginRule(Loopback, [], [], [], outside).AllowsHost("[2001:db8::1]:8443"u8));
        Assert.True(new OriginRule(Loopback, [], [], [], outside).AllowsOrigin("https://[2001:db8::1]:8443"u8));
        Assert.False(new OriginRule(Loopback, ["https://app.example"], [], [], outside).AllowsOrigin("https://[2001:db8::1]:8443"u8));
        Assert.True(new OriginRule(Public, [], ["mcp.example"], [], outside).AllowsHost("[2001:db8::1]:8443"u8));
        Assert.True(new OriginRule(Public, [], [], [], outside).AllowsHost("anything.example"u8));
        Assert.True(new OriginRule(Public, [], [], [], outside).AllowsOrigin("https://anything.example"u8));
    }

    private static OriginRule Rule(IPEndPoint listener, string[]? origins = null, string[]? hosts = null, string[]? cors = null) =>
        new(listener, origins ?? [], hosts ?? [], cors ?? []);

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);

    [Fact]
    public void ListenerBeyondThisMachineTakesPagesOfOtherSites()
    {
        var rule = new OriginRule(new IPEndPoint(IPAddress.Any, 80), ["https://app.example"], [], []);

        Assert.True(rule.AllowsSite("cross-site"u8));
    }
}
