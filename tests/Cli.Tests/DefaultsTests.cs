using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Xunit;

namespace McpProxyFast.Cli.Tests;

public sealed class DefaultsTests
{
    [Fact]
    public void DefaultsOfTheFlagsAreThoseOfTheEngine() => Assert.Equal(new ProxyLimits(), LimitFlags.Read(Read("name", "--target-uri", "http://localhost")));

    [Fact]
    public void EveryLimitReachesTheEngine()
    {
        ProxyOptions options = Read(
            "name", "--target-uri", "http://localhost", "--max-body-size", "1KiB", "--max-connections", "2", "--header-timeout", "3s",
            "--idle-timeout", "4s", "--connect-timeout", "5s", "--response-timeout", "6s", "--drain-timeout", "7s",
            "--upstream-idle-timeout", "8s", "--upstream-post-idle-timeout", "9s");

        var expected = new ProxyLimits
        {
            MaxRequestBodyBytes = 1024,
            MaxConnections = 2,
            HeaderTimeout = TimeSpan.FromSeconds(3),
            IdleTimeout = TimeSpan.FromSeconds(4),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            ResponseTimeout = TimeSpan.FromSeconds(6),
            DrainTimeout = TimeSpan.FromSeconds(7),
            UpstreamIdleTimeout = TimeSpan.FromSeconds(8),
            UpstreamPostIdleTimeout = TimeSpan.FromSeconds(9),
        };
        Assert.Equal(expected, LimitFlags.Read(options));
    }

    [Fact]
    public void DefaultsOfTheFlagsOfABridgeAreThoseOfTheEngine()
    {
        StdioOptions options = OptionsBinder.Bind<StdioOptions>(
            Settings.Read(["name", "--target-uri", "http://localhost"], FlagTable.Of(typeof(StdioOptions)), _ => null));
        McpBridgeOptions bound = StdioFlags.ToEngine(options, [], Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var engine = new McpBridgeOptions { Upstream = bound.Upstream };

        Assert.Equal(new ProxyLimits(), bound.Upstream.Limits);
        Assert.Equal(engine.ReconnectTimeout, bound.ReconnectTimeout);
        Assert.Equal(engine.Transport, bound.Transport);
        Assert.Equal(engine.Protocol, bound.Protocol);
        Assert.Empty(bound.IgnoredTools);
    }

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("30s", 30)]
    [InlineData("2m30s", 150)]
    [InlineData("1.5h", 5400)]
    [InlineData("0s", 0)]
    public void DurationIsRead(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out TimeSpan duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("1d")]
    [InlineData("-1s")]
    [InlineData("1s2")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999h")]
    public void OtherTextIsNoDuration(string text) => Assert.False(Duration.TryParse(text, out _));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("17B", 17)]
    [InlineData("512KiB", 512 * 1024)]
    [InlineData("8MiB", 8 * 1024 * 1024)]
    [InlineData("1GiB", 1024 * 1024 * 1024)]
    public void SizeIsRead(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("8MB")]
    [InlineData("-1")]
    [InlineData("1.5MiB")]
    [InlineData("9223372036854775807GiB")]
    public void OtherTextIsNoSize(string text) => Assert.False(ByteSize.TryParse(text, out _));

    private static ProxyOptions Read(params string[] args) =>
        OptionsBinder.Bind<ProxyOptions>(Settings.Read(args, FlagTable.Of(typeof(ProxyOptions)), _ => null));
}
