using System.Globalization;
using System.Text;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Posted = McpProxyFast.Cli.Tests.Tunnels.StandInControlPlane.Posted;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>How answers reach the control plane of a hosted tunnel: what is sent again, what is lost, and what comes too late.</summary>
public sealed class HostedDeliveryTests : HostedTunnelRig
{
    [Fact]
    public async Task LostNotificationEndsThoseBehindItAndNeverTheAnswer()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Progress, Result)));
        Plane.FailPosts(StandInControlPlane.Cut());
        Plane.Give(CommandOf(List));

        Assert.Equal("jsonrpc_response", (await Plane.AnswerAsync()).Type);
        Assert.Equal(["jsonrpc_notify", "jsonrpc_response"], Plane.AllPosted.Select(one => one.Type));
    }

    [Fact]
    public async Task NotificationThatIsPutOffIsSentAgain()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Result)));
        Plane.FailPosts(StandInControlPlane.Status(429));
        Plane.Give(CommandOf(List));

        Assert.Equal("jsonrpc_notify", (await Plane.AnswerAsync()).Type);
        Assert.Equal("jsonrpc_response", (await Plane.AnswerAsync()).Type);
        Assert.Equal(3, Plane.AllPosted.Count);
    }

    [Fact]
    public async Task AnswerIsSentAgainByteForByte()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.FailPosts([.. new[] { 408, 429, 502, 503, 504 }.Select(status => StandInControlPlane.Status(status)), StandInControlPlane.Cut()]);
        Plane.Give(CommandOf(List));

        await Plane.AnswerAsync();

        Assert.Equal(7, Plane.AllPosted.Count);
        Assert.Single(Plane.AllPosted.Select(one => (one.Body, one.ShardToken)).Distinct());
        Assert.Single(Server.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetryAfterIsTheLeastThatIsWaited(bool isDate)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));

        // A date has no fractions of a second, so this one is at least two seconds ahead too.
        Plane.FailPosts(context => StandInControlPlane.Status(
            503, isDate ? DateTimeOffset.UtcNow.AddSeconds(3).ToString("R", CultureInfo.InvariantCulture) : "2")(context));
        Plane.Give(CommandOf(List));

        await Plane.AnswerAsync();

        Posted[] posted = [.. Plane.AllPosted];
        Assert.True(posted[1].At - posted[0].At >= TimeSpan.FromSeconds(1.9));
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(401, true)]
    [InlineData(413, true)]
    [InlineData(500, true)]
    [InlineData(404, false)]
    public async Task AnswerThatIsRefusedIsNotSentAgain(int status, bool isSaid)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.FailPosts(StandInControlPlane.Status(status));
        Plane.Give(CommandOf(List), CommandOf(List, "", "req_2"));

        await Plane.AnswerAsync();
        await StopAsync();

        Assert.Equal(2, Plane.AllPosted.Count);
        Assert.Equal(2, Server.Requests.Count);
        Assert.Equal(isSaid, Log.Lines.Any(line => line.Contains($"is lost: HTTP {status}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task CommandThatHasExpiredReachesNobody()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give(CommandOf(List, ""","response_timeout":"0s" """), CommandOf(List, "", "req_2"));

        Assert.Equal("req_2", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        await StopAsync();

        Assert.Single(Server.Requests);
        Assert.Single(Plane.AllPosted);
    }

    [Fact]
    public async Task DeadlineCancelsTheExchangeAndNothingIsPosted()
    {
        var clock = new FakeTimeProvider();
        var server = new StandInMcpServer(async (request, stream, cancel) =>
        {
            bool isSlow = request.Contains("slow", StringComparison.Ordinal);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(isSlow ? StandInMcpServer.Events(Progress) : StandInMcpServer.Json(200, Result)), cancel);
            await Task.Delay(isSlow ? Timeout.Infinite : 0, cancel);
        });
        Start(server, clock: clock);
        Plane.Give(CommandOf("""{"jsonrpc":"2.0","id":"slow","method":"tools/call"}""", ""","response_timeout":"3s" """));
        Assert.Equal("jsonrpc_notify", (await Plane.AnswerAsync()).Type);

        clock.Advance(TimeSpan.FromSeconds(3));
        await Patience.UntilAsync(() => !Server.Cancelled.IsEmpty, "The request at the server was not cancelled.");

        Plane.Give(CommandOf(List, "", "req_2"));
        Assert.Equal("req_2", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Equal(2, Plane.AllPosted.Count);
    }

    [Fact]
    public async Task DeadlineEndsTheAttemptsToAnswer()
    {
        var clock = new FakeTimeProvider();
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)), clock: clock);
        Plane.FailPosts(StandInControlPlane.Status(503, "60"));
        Plane.Give(CommandOf(List, ""","response_timeout":"3s" """));
        await Patience.UntilAsync(() => Plane.AllPosted.Count == 1, "The answer was not posted.");

        clock.Advance(TimeSpan.FromSeconds(3));
        const string said = "the deadline of the tunnel's request req_1";
        await Patience.UntilAsync(() => Log.Lines.Any(line => line.Contains(said, StringComparison.Ordinal)), "It is still tried.");

        Plane.Give(CommandOf(List, "", "req_2"));
        Assert.Equal("req_2", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        await StopAsync();
        Assert.Equal(2, Plane.AllPosted.Count);
    }

    [Theory]
    [InlineData("30s", 30_000)]
    [InlineData("4500ms", 4_500)]
    [InlineData("0s", 0)]
    [InlineData("1000000ns", 1)]
    [InlineData("2000us", 2)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("30", null)]
    [InlineData("s", null)]
    [InlineData("4.5s", null)]
    [InlineData("-1s", null)]
    [InlineData("+1s", null)]
    [InlineData("1m30s", null)]
    [InlineData(" 1s", null)]
    [InlineData("1s ", null)]
    [InlineData("1e3s", null)]
    [InlineData("30d", null)]
    [InlineData("30S", null)]
    [InlineData("999999999999999999999999h", null)]
    [InlineData("9999999999h", null)]
    public void TimeoutIsDigitsAndOneUnit(string? text, int? milliseconds) =>
        Assert.Equal(milliseconds, (int?)ResponseTimeout.Read(text)?.TotalMilliseconds);
}
