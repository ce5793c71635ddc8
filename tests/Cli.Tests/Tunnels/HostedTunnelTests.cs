using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using McpProxyFast.Cli.Tunnels;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Posted = McpProxyFast.Cli.Tests.Tunnels.StandInControlPlane.Posted;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>What comes of each command of a hosted tunnel, and of each way in which the server or the control plane fails.</summary>
public sealed class HostedTunnelTests : IAsyncLifetime, IDisposable
{
    private const string List = """{"jsonrpc":"2.0","id":"rpc_1","method":"tools/list"}""";
    private const string Result = """{"jsonrpc":"2.0","id":"rpc_1","result":{ "tools": [] }}""";
    private const string Progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}""";

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly LineLogger _log = new();
    private StandInControlPlane _plane = null!;
    private StandInMcpServer? _server;
    private McpProxy? _proxy;
    private PollLoop? _loop;

    public async Task InitializeAsync() => _plane = await StandInControlPlane.StartAsync();

    public async Task DisposeAsync()
    {
        await _stopping.CancelAsync();
        await (_loop?.DisposeAsync() ?? default);
        await (_proxy?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
        await _plane.DisposeAsync();
    }

    public void Dispose()
    {
        _folder.Dispose();
        _stopping.Dispose();
    }

    [Fact]
    public async Task ResultGoesBackAsTheServerWroteIt()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(
            200, Result, "Mcp-Session-Id: session_1\r\nX-Internal: secret\r\nWWW-Authenticate:\r\nAccess-Control-Expose-Headers: A\r\nAccess-Control-Expose-Headers: B\r\n")));
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal("shard_1", posted.ShardToken);
        Assert.DoesNotContain("shard_1", posted.Body, StringComparison.Ordinal);
        Assert.Equal(
            """{"request_id":"req_1","channel":"main","resp_type":"jsonrpc_response","resp_code":200,"resp_headers":{"Content-Type":["application/json"],"""
            + """ "Mcp-Session-Id":["session_1"],"Access-Control-Expose-Headers":["A","B"]},"resp_json":""".TrimStart() + Result + "}",
            posted.Body);
    }

    [Fact]
    public async Task MessageAndFieldsReachTheServerAsTheyAre()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        const string Headers = """{"Mcp-Session-Id":["session_1"],"X-Many":["a, b","c"],"Connection":["X-Dropped"],"X-Dropped":["1"],"Host":["evil"],"Content-Length":["1"]}""";
        _plane.Give(CommandOf("""{ "jsonrpc" : "2.0", "id" : "rpc_1", "method" : "tools/list" }""", $$""","channel":"other","headers":{{Headers}}"""));

        Assert.Equal("other", (await _plane.AnswerAsync()).Json.GetProperty("channel").GetString());
        string request = Assert.Single(_server!.Requests);
        Assert.StartsWith("POST /mcp HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n" + """{ "jsonrpc" : "2.0", "id" : "rpc_1", "method" : "tools/list" }""", request, StringComparison.Ordinal);
        Assert.Contains("\r\nMcp-Session-Id: session_1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Many: a, b\r\nX-Many: c\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nAccept: application/json, text/event-stream\r\n", request, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Dropped", request, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NotificationIsAcknowledged()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        _plane.Give(CommandOf("""{"jsonrpc":"2.0","method":"notifications/initialized"}"""));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("notify_ack", 202, ""), (posted.Type, posted.Code, posted.Answer));
    }

    [Fact]
    public async Task NotificationsOfTheStreamComeBeforeTheAnswer()
    {
        const string Asks = """{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}""";
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Asks, Progress, Result)));
        _plane.Give(CommandOf(List));

        Posted[] posted = [await _plane.AnswerAsync(), await _plane.AnswerAsync(), await _plane.AnswerAsync()];

        Assert.Equal(["jsonrpc_notify", "jsonrpc_notify", "jsonrpc_response"], posted.Select(one => one.Type));
        Assert.Equal([Progress, Progress, Result], posted.Select(one => one.Answer));
        Assert.All(posted, one => Assert.Equal(("req_1", "shard_1", 200), (one.Json.GetProperty("request_id").GetString(), one.ShardToken, one.Code)));
        Assert.Equal("session_1", posted[^1].Json.GetProperty("resp_headers").GetProperty("Mcp-Session-Id")[0].GetString());
    }

    [Fact]
    public async Task LostNotificationEndsThoseBehindItAndNeverTheAnswer()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Progress, Result)));
        _plane.FailPosts(StandInControlPlane.Cut());
        _plane.Give(CommandOf(List));

        Assert.Equal("jsonrpc_response", (await _plane.AnswerAsync()).Type);
        Assert.Equal(["jsonrpc_notify", "jsonrpc_response"], _plane.AllPosted.Select(one => one.Type));
    }

    [Fact]
    public async Task NotificationThatIsPutOffIsSentAgain()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Result)));
        _plane.FailPosts(StandInControlPlane.Status(429));
        _plane.Give(CommandOf(List));

        Assert.Equal("jsonrpc_notify", (await _plane.AnswerAsync()).Type);
        Assert.Equal("jsonrpc_response", (await _plane.AnswerAsync()).Type);
        Assert.Equal(3, _plane.AllPosted.Count);
    }

    [Fact]
    public async Task AnswerIsSentAgainByteForByte()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.FailPosts([.. new[] { 408, 429, 502, 503, 504 }.Select(status => StandInControlPlane.Status(status)), StandInControlPlane.Cut()]);
        _plane.Give(CommandOf(List));

        await _plane.AnswerAsync();

        Assert.Equal(7, _plane.AllPosted.Count);
        Assert.Single(_plane.AllPosted.Select(one => (one.Body, one.ShardToken)).Distinct());
        Assert.Single(_server!.Requests);
    }

    [Fact]
    public async Task RetryAfterIsTheLeastThatIsWaited()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.FailPosts(StandInControlPlane.Status(503, "2"));
        _plane.Give(CommandOf(List));

        await _plane.AnswerAsync();

        Posted[] posted = [.. _plane.AllPosted];
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
        _plane.FailPosts(StandInControlPlane.Status(status));
        _plane.Give(CommandOf(List), CommandOf(List, "", "req_2"));

        await _plane.AnswerAsync();
        await StopAsync();

        Assert.Equal(2, _plane.AllPosted.Count);
        Assert.Equal(2, _server!.Requests.Count);
        Assert.Equal(isSaid, _log.Lines.Any(line => line.Contains($"is lost: HTTP {status}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(404, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32001,"message":"Session not found","data":{"x":[1]}}}""")]
    [InlineData(400, """{"jsonrpc":"2.0","id":null,"error":{"code":-32004,"message":"no such version"}}""")]
    [InlineData(200, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32003,"message":"capability"}}""")]
    [InlineData(502, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32603,"message":"its own","data":{"reason":"its-own"}}}""")]
    public async Task ErrorOfTheServerIsNotTouched(int status, string error)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(status, error)));
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", status, error), (posted.Type, posted.Code, posted.Answer));
    }

    [Theory]
    [InlineData(401, "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"x\"\r\nContent-Length: 2\r\n\r\nno", """{"version":1,"source":"target_http","upstream_response_received":true,"upstream_status":401}""")]
    [InlineData(503, "HTTP/1.1 503 No\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\nhttp://x/abc", """{"version":1,"source":"target_http","upstream_response_received":true,"upstream_status":503}""")]
    [InlineData(502, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", """{"version":1,"source":"protocol","upstream_response_received":true}""")]
    [InlineData(502, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n", """{"version":1,"source":"protocol","upstream_response_received":true}""")]
    [InlineData(502, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{\"jsonrpc\"", """{"version":1,"source":"protocol","upstream_response_received":true}""")]
    [InlineData(502, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {}\n\n", """{"version":1,"source":"protocol","upstream_response_received":true}""")]
    [InlineData(502, "HTTP/1.1 502 No\r\nContent-Type: application/json\r\nContent-Length: 105\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":\"rpc_1\",\"error\":{\"code\":-32603,\"message\":\"x\",\"data\":{\"reason\":\"exchange-refused\"}}}", """{"version":1,"source":"client_internal","upstream_response_received":false}""")]
    [InlineData(502, "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", """{"version":1,"source":"protocol","upstream_response_received":true}""")]
    [InlineData(502, "", """{"version":1,"source":"transport_closed","upstream_response_received":false}""")]
    public async Task ServerThatGivesNoAnswerIsToldByAClosedList(int code, string response, string failure)
    {
        Start(StandInMcpServer.Always(response));
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", code, failure), (posted.Type, posted.Code, posted.Failure));
        Assert.Equal(-32603, posted.Json.GetProperty("resp_json").GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal("rpc_1", posted.Json.GetProperty("resp_json").GetProperty("id").GetString());
        Assert.DoesNotContain("127.0.0.1", posted.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("http://x", posted.Body, StringComparison.Ordinal);
        Assert.Equal(code == 401, posted.Body.Contains("\"WWW-Authenticate\":[\"Bearer realm=\\\"x\\\"\"]", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{2}", "{1}")]
    [InlineData("[{2},{1}]")]
    [InlineData("{2}", "[{1}]")]
    public async Task BatchThatIsAnsweredByAStreamIsAnsweredByABatch(params string[] events)
    {
        string first = Result.Replace("rpc_1", "1", StringComparison.Ordinal), second = Result.Replace("rpc_1", "2", StringComparison.Ordinal);
        Start(StandInMcpServer.Always(StandInMcpServer.Events(
            [.. events.Select(each => each.Replace("{1}", first, StringComparison.Ordinal).Replace("{2}", second, StringComparison.Ordinal)), Progress])));
        _plane.Give(CommandOf(BatchOf("1", "2")));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", 200, $"[{second},{first}]"), (posted.Type, posted.Code, posted.Answer));
    }

    [Fact]
    public async Task RequestsOfABatchThatTheStreamLeavesOpenGetAFailure()
    {
        string first = Result.Replace("rpc_1", "1", StringComparison.Ordinal);
        Start(StandInMcpServer.Always(StandInMcpServer.Events(first)));
        _plane.Give(CommandOf(BatchOf("1", "2")));

        JsonElement[] answers = [.. (await _plane.AnswerAsync()).Json.GetProperty("resp_json").EnumerateArray()];

        Assert.Equal(["1", "2"], answers.Select(answer => answer.GetProperty("id").GetString()));
        Assert.Equal(first, answers[0].GetRawText());
        Assert.Equal("protocol", answers[1].GetProperty("error").GetProperty("data").GetProperty("tunnel_failure").GetProperty("source").GetString());
    }

    [Fact]
    public async Task EachRequestOfABatchIsToldOfAServerThatGivesNoAnswer()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"));
        _plane.Give(CommandOf(BatchOf("1", "2")));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(["1", "2"], posted.Json.GetProperty("resp_json").EnumerateArray().Select(answer => answer.GetProperty("id").GetString()));
        Assert.Equal(500, posted.Code);
    }

    [Fact]
    public async Task BatchWithoutARequestIsAcknowledged()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        _plane.Give(CommandOf($"[{Progress},{Progress}]"));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("notify_ack", 202, ""), (posted.Type, posted.Code, posted.Answer));
    }

    [Theory]
    [InlineData(502, 100)]
    [InlineData(503, 100)]
    [InlineData(502, 1_000)]
    [InlineData(503, 100_000)]
    public async Task DeepErrorOfTheServerIsAnswered(int status, int depth)
    {
        string error = $$$"""{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-1,"message":"no","data":{{{new string('[', depth)}}}{{{new string(']', depth)}}}}}""";
        Start(StandInMcpServer.Always(StandInMcpServer.Json(status, error)));
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", status), (posted.Type, posted.Code));
        Assert.Equal(depth == 100 ? error : $$"""{"version":1,"source":"target_http","upstream_response_received":true,"upstream_status":{{status}}}""",
            depth == 100 ? posted.Answer : posted.Failure);
    }

    [Fact]
    public async Task AnswerBeyondTheBudgetIsRefusedAndTheNextOneIsNot()
    {
        string large = Result.Replace("[]", $"[\"{new string('x', 200_000)}\"]", StringComparison.Ordinal);
        Start(
            new StandInMcpServer((request, stream, cancel) => stream.WriteAsync(
                Encoding.UTF8.GetBytes(StandInMcpServer.Json(200, request.Contains("large", StringComparison.Ordinal) ? large : Result)), cancel).AsTask()),
            budget: new MemoryBudget(100_000));
        _plane.Give(CommandOf(List.Replace("tools/list", "large", StringComparison.Ordinal)));
        Posted refused = await _plane.AnswerAsync();
        _plane.Give(CommandOf(List));
        Posted taken = await _plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"client_internal","upstream_response_received":false}"""), (refused.Code, refused.Failure));
        Assert.Equal(Result, taken.Answer);
        Assert.Contains(_log.Lines, line => line.Contains("req_1 is refused", StringComparison.Ordinal));
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
            budget: new MemoryBudget(100_000));
        _plane.Give(CommandOf(List, padding));
        _plane.Give(CommandOf(List, padding, "req_2"));
        await _plane.PolledAsync(2);
        both.SetResult();

        string[] answered = [(await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString()!, (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString()!];

        Assert.Equal(["req_1", "req_2"], answered);
        Assert.Equal(1, _server!.Most);
    }

    [Fact]
    public async Task PollWithANameThatIsNoTextIsRead()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.GiveRaw($$"""{"\ud800 is half a character":1,"commands":[{{CommandOf(List)}}]}""");

        Assert.Equal(Result, (await _plane.AnswerAsync()).Answer);
    }

    [Fact]
    public async Task PollWithFarMoreCommandsThanWereAskedForIsRefused()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give([.. Enumerable.Repeat("""{"request_id":"many","shard_token":"s","command_type":"dance"}""", 1_001)]);
        _plane.Give(CommandOf(List));

        Assert.Equal("req_1", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Contains(_log.Lines, line => line.Contains("not a list of commands", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("many", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LoopGoesOnAfterAFaultOfTheProgram()
    {
        _server = StandInMcpServer.Always(StandInMcpServer.Json(200, Result));
        Start(_server.Address, new ProxyLimits(), logger: new FailingOnce(_log));
        _plane.Give(CommandOf(List));
        _plane.Give(CommandOf(List, "", "req_2"));

        await _plane.AnswerAsync();

        Assert.Contains(_log.Lines, line => line.Contains("failed because of a bug in mcpproxyfast; please report it: NotSupportedException", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ServerThatIsNotThereIsAFailureToConnect()
    {
        var nowhere = new TcpListener(System.Net.IPAddress.Loopback, 0);
        nowhere.Start();
        var target = new Uri($"http://{nowhere.LocalEndpoint}/mcp");
        nowhere.Dispose();
        Start(target, new ProxyLimits());
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"connect","upstream_response_received":false}"""), (posted.Code, posted.Failure));
    }

    [Fact]
    public async Task ServerThatIsTooSlowIsATimeout()
    {
        _server = new StandInMcpServer((_, _, cancel) => Task.Delay(Timeout.Infinite, cancel));
        Start(_server.Address, new ProxyLimits { ResponseTimeout = TimeSpan.FromMilliseconds(50) });
        _plane.Give(CommandOf(List));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal((504, """{"version":1,"source":"timeout","upstream_response_received":false}"""), (posted.Code, posted.Failure));
    }

    [Fact]
    public async Task CommandThatHasExpiredReachesNobody()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give(CommandOf(List, ""","response_timeout":"0s" """), CommandOf(List, "", "req_2"));

        Assert.Equal("req_2", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        await StopAsync();

        Assert.Single(_server!.Requests);
        Assert.Single(_plane.AllPosted);
    }

    [Fact]
    public async Task DeadlineCancelsTheExchangeAndNothingIsPosted()
    {
        Start(new StandInMcpServer(async (request, stream, cancel) =>
        {
            bool isSlow = request.Contains("slow", StringComparison.Ordinal);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(isSlow ? StandInMcpServer.Events(Progress) : StandInMcpServer.Json(200, Result)), cancel);
            await Task.Delay(isSlow ? Timeout.Infinite : 0, cancel);
        }));
        _plane.Give(CommandOf("""{"jsonrpc":"2.0","id":"slow","method":"tools/call"}""", ""","response_timeout":"3s" """));
        Assert.Equal("jsonrpc_notify", (await _plane.AnswerAsync()).Type);

        await Patience.UntilAsync(() => !_server!.Cancelled.IsEmpty, "The request at the server was not cancelled.");

        _plane.Give(CommandOf(List, "", "req_2"));
        Assert.Equal("req_2", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Equal(2, _plane.AllPosted.Count);
    }

    [Fact]
    public async Task DeadlineEndsTheAttemptsToAnswer()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.FailPosts(StandInControlPlane.Status(503, "60"));
        _plane.Give(CommandOf(List, ""","response_timeout":"3s" """), CommandOf(List, "", "req_2"));

        await _plane.AnswerAsync();
        await StopAsync();

        Assert.Equal(2, _plane.AllPosted.Count);
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

    [Fact]
    public async Task SessionIsEndedByItsId()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 204 No Content\r\n\r\n"));
        _plane.Give("""{"request_id":"req_1","shard_token":"shard_1","command_type":"session_termination","headers":{"Mcp-Session-Id":["session_1"]}}""");

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal(("session_termination_response", 204, ""), (posted.Type, posted.Code, posted.Answer));
        string request = Assert.Single(_server!.Requests);
        Assert.StartsWith("DELETE /mcp HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nMcp-Session-Id: session_1\r\n", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownKindIsSaidAndPassedOver()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give("""{"request_id":"req_9","shard_token":"s","command_type":"dance","jsonrpc":{}}""", "17", """{"request_id":"req_8"}""", CommandOf(List));

        Assert.Equal("req_1", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Contains(_log.Lines, line => line.Contains("req_9 is of the kind dance", StringComparison.Ordinal));
        Assert.Single(_server!.Requests);
    }

    [Fact]
    public async Task CommandWhoseFieldNameIsNoTextIsPassedOverAndTheNextOnesAreAnswered()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give("""{"request_id":"req_9","shard_token":"s","command_type":"jsonrpc","headers":{"\ud800":["a"]},"jsonrpc":{}}""", CommandOf(List));

        Assert.Equal("req_1", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
        Assert.Single(_server!.Requests);
    }

    [Fact]
    public async Task DeepMessageDoesNotTakeTheOthersOfItsPollAlong()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give($$$"""{"request_id":"req_9","shard_token":"s","command_type":"dance","jsonrpc":{"params":{{{deep}}}}}""", CommandOf(List));

        Assert.Equal("req_1", (await _plane.AnswerAsync()).Json.GetProperty("request_id").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","headers":{"Bad Name":["a"]}""")]
    [InlineData(""","headers":{"X":["a\r\nX-Smuggled: b"]}""")]
    public async Task CommandThatHttpCannotCarryReachesNoServer(string more)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.Give(CommandOf(more.Length == 0 ? "17" : List, more));

        Posted posted = await _plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"client_internal","upstream_response_received":false}"""), (posted.Code, posted.Failure));
        Assert.Empty(_server!.Requests);
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
        _plane.Give([.. Enumerable.Range(0, 40).Select(i => CommandOf($$"""{"jsonrpc":"2.0","id":"rpc_{{i}}","method":"ping"}""", "", $"req_{i}"))]);

        HashSet<string> answered = [];
        for (int i = 0; i < 40; i++)
        {
            Posted posted = await _plane.AnswerAsync();
            string id = posted.Json.GetProperty("request_id").GetString()!;
            Assert.Equal(id.Replace("req", "rpc", StringComparison.Ordinal), posted.Json.GetProperty("resp_json").GetProperty("id").GetString());
            answered.Add(id);
        }

        Assert.Equal(40, answered.Count);
        Assert.Equal(3, _server!.Most);
    }

    [Fact]
    public async Task PollThatFailsIsRepeated()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        _plane.FailPolls(StandInControlPlane.Status(204), StandInControlPlane.Status(500), StandInControlPlane.Status(429, "1"), StandInControlPlane.Cut());
        _plane.GiveRaw("<html>");
        _plane.GiveRaw("""{"commands":17}""");
        _plane.GiveRaw("{}");
        _plane.Give(CommandOf(List));

        await _plane.AnswerAsync();

        Assert.True(_plane.Polls.Count >= 8);
        Assert.Contains(_log.Lines, line => line.Contains("answered with HTTP 500", StringComparison.Ordinal));
        Assert.Contains(_log.Lines, line => line.Contains("not a list of commands", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ControlPlaneThatDoesNotHoldPollsOpenIsNotPolledWithoutAPause()
    {
        _plane.FailPolls(StandInControlPlane.Status(204), StandInControlPlane.Status(204));
        _plane.Give();
        _plane.Give(CommandOf(List));
        long began = TimeProvider.System.GetTimestamp();

        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));

        await _plane.AnswerAsync();
        Assert.True(TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromSeconds(1.4));
    }

    [Fact]
    public async Task PollWhoseResponseStallsIsGivenUpAndRepeated()
    {
        _plane.FailPolls(async context =>
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
                return _log.Lines.Any(line => line.Contains("its response has stalled", StringComparison.Ordinal));
            },
            "The poll is not given up.");

        _plane.Give(CommandOf(List));
        Assert.Equal(Result, (await _plane.AnswerAsync()).Answer);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task KeyThatIsRefusedIsSaidAndPolledSlowly(int status)
    {
        _plane.FailPolls(StandInControlPlane.Status(status));
        Start(StandInMcpServer.Always(""));
        await Patience.UntilAsync(() => _log.Lines.Any(line => line.Contains("the next try is in", StringComparison.Ordinal)), "Nothing was said of the key.");
        await StopAsync();

        Assert.Contains(
            _log.Lines, line => line.Contains($"does not take the key (HTTP {status})", StringComparison.Ordinal) && line.Contains("in 60 s", StringComparison.Ordinal));
        Assert.Single(_plane.Polls);
        Assert.DoesNotContain(_log.Lines, line => line.Contains("sk-hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ChannelsAreNamedInThePoll()
    {
        Start(StandInMcpServer.Always(""), ""","channel":["b","a"]""");
        await _plane.PolledAsync(1);

        Assert.Equal("?limit=25&timeout_ms=15000&channel=a&channel=b", Assert.Single(_plane.Polls));
        Assert.Equal("""{"version":1,"channels":[{"name":"a"},{"name":"b"}]}""", _plane.PollFields["X-Tunnel-MCP-Server-Info"]);
    }

    [Fact]
    public async Task WithoutChannelsNoneIsNamed()
    {
        Start(StandInMcpServer.Always(""));
        await _plane.PolledAsync(1);

        Assert.Equal("?limit=25&timeout_ms=15000", Assert.Single(_plane.Polls));
        Assert.Equal("""{"version":1,"channels":[{"name":"main"}]}""", _plane.PollFields["X-Tunnel-MCP-Server-Info"]);
    }

    private static string BatchOf(params string[] ids) => $"[{string.Join(',', ids.Select(id => List.Replace("rpc_1", id, StringComparison.Ordinal)))}]";

    private static string CommandOf(string message, string more = "", string id = "req_1") =>
        $$"""{"request_id":"{{id}}","shard_token":"shard_1","command_type":"jsonrpc","created_at":"2026-01-01T00:00:00Z","jsonrpc":{{message}}{{more}}}""";

    /// <summary>Waits until every command has been done.</summary>
    private async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _loop!.DisposeAsync();
        _loop = null;
    }

    private void Start(StandInMcpServer server, string more = "", MemoryBudget? budget = null, TimeProvider? clock = null)
    {
        _server = server;
        Start(server.Address, new ProxyLimits(), more, budget, clock: clock);
    }

    private void Start(
        Uri target, ProxyLimits limits, string more = "", MemoryBudget? budget = null, ILogger? logger = null, TimeProvider? clock = null)
    {
        string given = $$"""{"tunnel-id":"tunnel_1","api-key-file":"{{_folder.Write("key", "sk-hunter2\n")}}","base-url":"{{_plane.Address}}"{{more}}}""";
        _proxy = new McpProxy(new McpProxyOptions { Target = target, Limits = limits });
        _loop = new PollLoop(OpenAiProvider.Read(ProviderArguments.Parse(given)), _proxy, target, logger ?? _log, _stopping.Token, budget, clock);
    }

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
