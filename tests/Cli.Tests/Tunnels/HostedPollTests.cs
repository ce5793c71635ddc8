using System.Text;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Posted = McpProxyFast.Cli.Tests.Tunnels.StandInControlPlane.Posted;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>How commands are fetched from the control plane of a hosted tunnel: what a poll may hold, and what comes of one that fails.</summary>
public sealed class HostedPollTests : HostedTunnelRig
{
    [Fact]
    public async Task PollThatFailsIsRepeated()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.FailPolls(StandInControlPlane.Status(204), StandInControlPlane.Status(500), StandInControlPlane.Status(429, "1"), StandInControlPlane.Cut());
        Plane.GiveRaw("<html>");
        Plane.GiveRaw("""{"commands":17}""");
        Plane.GiveRaw("{}");
        Plane.Give(CommandOf(List));

        await Plane.AnswerAsync();

        Assert.True(Plane.Polls.Count >= 8);
        Assert.Contains(Log.Lines, line => line.Contains("answered with HTTP 500", StringComparison.Ordinal));
        Assert.Contains(Log.Lines, line => line.Contains("not a list of commands", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ControlPlaneThatDoesNotHoldPollsOpenIsNotPolledWithoutAPause()
    {
        Plane.FailPolls(StandInControlPlane.Status(204), StandInControlPlane.Status(204));
        Plane.Give();
        Plane.Give(CommandOf(List));
        var clock = new FakeTimeProvider();
        long began = clock.GetTimestamp();

        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)), clock: clock);
        await PollAgainAsync(clock, times: 4);

        Assert.True(clock.GetElapsedTime(began) >= TimeSpan.FromSeconds(1.5)); // three pauses, or polls that the clock made look longer than one
        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);
    }

    [Fact]
    public async Task PollWhoseResponseStallsIsGivenUpAndRepeated()
    {
        Plane.FailPolls(async context =>
        {
            await context.Response.WriteAsync("{\"comm");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        });
        var clock = new FakeTimeProvider();
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)), clock: clock);

        await Patience.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(30));
                return Log.Lines.Any(line => line.Contains("its response has stalled", StringComparison.Ordinal));
            },
            "The poll is not given up.");
        await PollAgainAsync(clock, times: 2);

        Plane.Give(CommandOf(List));
        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task KeyThatIsRefusedIsSaidAndPolledSlowly(int status)
    {
        Plane.FailPolls(StandInControlPlane.Status(status));
        Start(StandInMcpServer.Always(""));
        await Patience.UntilAsync(() => Log.Lines.Any(line => line.Contains("the next try is in", StringComparison.Ordinal)), "Nothing was said of the key.");
        await StopAsync();

        Assert.Contains(
            Log.Lines, line => line.Contains($"does not take the key (HTTP {status})", StringComparison.Ordinal) && line.Contains("in 60 s", StringComparison.Ordinal));
        Assert.Single(Plane.Polls);
        Assert.DoesNotContain(Log.Lines, line => line.Contains("sk-hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ChannelsAreNamedInThePoll()
    {
        Start(StandInMcpServer.Always(""), ""","channel":["b","a"]""");
        await Plane.PolledAsync(1);

        Assert.Equal("?limit=25&timeout_ms=15000&channel=a&channel=b", Assert.Single(Plane.Polls));
        Assert.Equal("""{"version":1,"channels":[{"name":"a"},{"name":"b"}]}""", Plane.PollFields["X-Tunnel-MCP-Server-Info"]);
    }

    [Fact]
    public async Task WithoutChannelsNoneIsNamed()
    {
        Start(StandInMcpServer.Always(""));
        await Plane.PolledAsync(1);

        Assert.Equal("?limit=25&timeout_ms=15000", Assert.Single(Plane.Polls));
        Assert.Equal("""{"version":1,"channels":[{"name":"main"}]}""", Plane.PollFields["X-Tunnel-MCP-Server-Info"]);
    }

    [Fact]
    public async Task AllCommandsAreDoneAndNoMoreThanAllowedAtATime()
    {
        var together = new SemaphoreSlim(0);
        int begun = 0;
        Start(
            new StandInMcpServer(async (request, stream, cancel) =>
            {
                if (Interlocked.Increment(ref begun) == 3)
                {
                    together.Release(40); // three are open: none waits for the one before
                }

                await together.WaitAsync(cancel);
                string id = request.Split("\"id\":\"")[1].Split('"')[0];
                await stream.WriteAsync(Encoding.UTF8.GetBytes(StandInMcpServer.Json(200, $$$"""{"jsonrpc":"2.0","id":"{{{id}}}","result":{}}""")), cancel);
            }),
            ""","concurrency":3""");
        Plane.Give([.. Enumerable.Range(0, 40).Select(i => CommandOf($$"""{"jsonrpc":"2.0","id":"rpc_{{i}}","method":"ping"}""", "", $"req_{i}"))]);

        HashSet<string> answered = [];
        for (int i = 0; i < 40; i++)
        {
            Posted posted = await Plane.AnswerAsync();
            string id = posted.Json.GetProperty("request_id").GetString()!;
            Assert.Equal(id.Replace("req", "rpc", StringComparison.Ordinal), posted.Json.GetProperty("resp_json").GetProperty("id").GetString());
            answered.Add(id);
        }

        Assert.Equal(40, answered.Count);
        Assert.Equal(3, Server.Most);
    }

    [Fact]
    public async Task UnknownKindIsSaidAndPassedOver()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give("""{"request_id":"req_9","shard_token":"s","command_type":"dance","jsonrpc":{}}""", "17", """{"request_id":"req_8"}""", CommandOf(List));

        Assert.Equal("req_1", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Contains(Log.Lines, line => line.Contains("req_9 is of the kind dance", StringComparison.Ordinal));
        Assert.Single(Server.Requests);
    }

    [Fact]
    public async Task CommandWhoseFieldNameIsNoTextIsPassedOverAndTheNextOnesAreAnswered()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give("""{"request_id":"req_9","shard_token":"s","command_type":"jsonrpc","headers":{"\ud800":["a"]},"jsonrpc":{}}""", CommandOf(List));

        Assert.Equal("req_1", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Single(Server.Requests);
    }

    [Fact]
    public async Task DeepMessageDoesNotTakeTheOthersOfItsPollAlong()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give($$$"""{"request_id":"req_9","shard_token":"s","command_type":"dance","jsonrpc":{"params":{{{deep}}}}}""", CommandOf(List));

        Assert.Equal("req_1", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task PollWithANameThatIsNoTextIsRead()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.GiveRaw($$"""{"\ud800 is half a character":1,"commands":[{{CommandOf(List)}}]}""");

        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);
    }

    [Fact]
    public async Task PollWithFarMoreCommandsThanWereAskedForIsRefused()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give([.. Enumerable.Repeat("""{"request_id":"many","shard_token":"s","command_type":"dance"}""", 1_001)]);
        Plane.Give(CommandOf(List));

        Assert.Equal("req_1", (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Contains(Log.Lines, line => line.Contains("not a list of commands", StringComparison.Ordinal));
        Assert.DoesNotContain(Log.Lines, line => line.Contains("many", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PollThatTheBudgetHasNoRoomForWaitsForTheCommandsBefore()
    {
        var both = new TaskCompletionSource();
        string padding = $$""","unknown":"{{new string('x', 60_000)}}" """;
        Start(
            new StandInMcpServer(async (_, stream, cancel) =>
            {
                await both.Task.WaitAsync(cancel);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(StandInMcpServer.Json(200, Result)), cancel);
            }),
            budget: 100_000);
        Plane.Give(CommandOf(List, padding));
        Plane.Give(CommandOf(List, padding, "req_2"));
        await Plane.PolledAsync(2);
        both.SetResult();

        string[] answered = [(await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString()!, (await Plane.AnswerAsync()).Json.GetProperty("request_id").GetString()!];

        Assert.Equal(["req_1", "req_2"], answered);
        Assert.Equal(1, Server.Most);
    }

    [Fact]
    public async Task AnswerBeyondTheBudgetIsRefusedAndTheNextOneIsNot()
    {
        string large = Result.Replace("[]", $"[\"{new string('x', 200_000)}\"]", StringComparison.Ordinal);
        Start(
            new StandInMcpServer((request, stream, cancel) => stream.WriteAsync(
                Encoding.UTF8.GetBytes(StandInMcpServer.Json(200, request.Contains("large", StringComparison.Ordinal) ? large : Result)), cancel).AsTask()),
            budget: 100_000);
        Plane.Give(CommandOf(List.Replace("tools/list", "large", StringComparison.Ordinal)));
        Posted refused = await Plane.AnswerAsync();
        Plane.Give(CommandOf(List));
        Posted taken = await Plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"client_internal","upstream_response_received":false}"""), (refused.Code, refused.Failure));
        Assert.Equal(Result, taken.Answer);
        Assert.Contains(Log.Lines, line => line.Contains("dropped the MCP server's answer to the tunnel's request req_1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LoopGoesOnAfterAFaultOfTheProgram()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)), logger: new FailingOnce(Log));
        Plane.Give(CommandOf(List));
        Plane.Give(CommandOf(List, "", "req_2"));

        await Plane.AnswerAsync();

        Assert.Contains(Log.Lines, line => line.Contains("failed because of a bug in mcpproxyfast; please report it: NotSupportedException", StringComparison.Ordinal));
    }

    /// <summary>Moves a clock a little at a time until so many polls have come.</summary>
    private Task PollAgainAsync(FakeTimeProvider clock, int times) => Patience.UntilAsync(
        () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(20));
            return Plane.Polls.Count >= times;
        },
        "There are no further polls.");

    /// <summary>Fails at the first line; passes the others on.</summary>
    private sealed class FailingOnce(ILogger inner) : ILogger
    {
        private int _lines;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Interlocked.Increment(ref _lines) == 1)
            {
                throw new NotSupportedException("a fault");
            }

            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
