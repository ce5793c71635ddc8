using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class KeepAliveFieldTests
{
    [Theory]
    [InlineData("timeout=5", 5)]
    [InlineData("timeout=5, max=1000", 5)]
    [InlineData("max=1000,timeout=15", 15)]
    [InlineData("Timeout = 5", 5)]
    [InlineData("timeout=0", 0)]
    [InlineData("timeout=99999999999999999999", 86_400)]
    [InlineData("timeout=30, timeout=5", 5)]
    public void TimeoutIsRead(string value, int seconds) => Assert.Equal(seconds, Read($"Keep-Alive: {value}\r\n"));

    [Theory]
    [InlineData("")]
    [InlineData("max=1000")]
    [InlineData("timeout")]
    [InlineData("timeout=")]
    [InlineData("timeout=-5")]
    [InlineData("timeout=5s")]
    [InlineData("timeout=\"5\"")]
    [InlineData("timeouts=5")]
    [InlineData(",,;=")]
    public void OtherValueSaysNothing(string value) => Assert.Equal(KeepAliveField.NotSaid, Read($"Keep-Alive: {value}\r\n"));

    [Fact]
    public void ShortestOfSeveralLinesCounts() => Assert.Equal(5, Read("Keep-Alive: timeout=30\r\nX: timeout=1\r\nkeep-alive: timeout=5\r\n"));

    /// <summary>Servers that say it say it with every answer.</summary>
    [Fact]
    public void ReadingAllocatesNothing()
    {
        ResponseHead head = Heads.Response("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=1000\r\nContent-Length: 0\r\n\r\n");
        KeepAliveField.TimeoutOf(head);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int seconds = KeepAliveField.TimeoutOf(head);
        Assert.Equal((5, 0), (seconds, GC.GetAllocatedBytesForCurrentThread() - before));
    }

    private static int Read(string lines) => KeepAliveField.TimeoutOf(Heads.Response($"HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n"));
}
