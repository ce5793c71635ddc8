using System.Net.Sockets;
using System.Text.Json;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Xunit;
using Posted = McpProxyFast.Cli.Tests.Tunnels.StandInControlPlane.Posted;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>What comes of each command of a hosted tunnel, and of each way in which the server fails.</summary>
public sealed class HostedTunnelTests : HostedTunnelRig
{
    [Fact]
    public async Task ResultGoesBackAsTheServerWroteIt()
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(
            200, Result, "Mcp-Session-Id: session_1\r\nX-Internal: secret\r\nWWW-Authenticate:\r\nAccess-Control-Expose-Headers: A\r\nAccess-Control-Expose-Headers: B\r\n")));
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

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
        Plane.Give(CommandOf("""{ "jsonrpc" : "2.0", "id" : "rpc_1", "method" : "tools/list" }""", $$""","channel":"other","headers":{{Headers}}"""));

        Assert.Equal("other", (await Plane.AnswerAsync()).Json.GetProperty("channel").GetString());
        string request = Assert.Single(Server.Requests);
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
        Plane.Give(CommandOf("""{"jsonrpc":"2.0","method":"notifications/initialized"}"""));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("notify_ack", 202, ""), (posted.Type, posted.Code, posted.Answer));
    }

    [Fact]
    public async Task NotificationsOfTheStreamComeBeforeTheAnswer()
    {
        const string Asks = """{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}""";
        Start(StandInMcpServer.Always(StandInMcpServer.Events(Progress, Asks, Progress, Result)));
        Plane.Give(CommandOf(List));

        Posted[] posted = [await Plane.AnswerAsync(), await Plane.AnswerAsync(), await Plane.AnswerAsync()];

        Assert.Equal(["jsonrpc_notify", "jsonrpc_notify", "jsonrpc_response"], posted.Select(one => one.Type));
        Assert.Equal([Progress, Progress, Result], posted.Select(one => one.Answer));
        Assert.All(posted, one => Assert.Equal(("req_1", "shard_1", 200), (one.Json.GetProperty("request_id").GetString(), one.ShardToken, one.Code)));
        Assert.Equal("session_1", posted[^1].Json.GetProperty("resp_headers").GetProperty("Mcp-Session-Id")[0].GetString());
    }

    [Theory]
    [InlineData(404, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32001,"message":"Session not found","data":{"x":[1]}}}""")]
    [InlineData(400, """{"jsonrpc":"2.0","id":null,"error":{"code":-32004,"message":"no such version"}}""")]
    [InlineData(200, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32003,"message":"capability"}}""")]
    [InlineData(502, """{"jsonrpc":"2.0","id":"rpc_1","error":{"code":-32603,"message":"its own","data":{"reason":"its-own"}}}""")]
    public async Task ErrorOfTheServerIsNotTouched(int status, string error)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(status, error)));
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", status, error), (posted.Type, posted.Code, posted.Answer));
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
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", status), (posted.Type, posted.Code));
        Assert.Equal(depth == 100 ? error : $$"""{"version":1,"source":"target_http","upstream_response_received":true,"upstream_status":{{status}}}""",
            depth == 100 ? posted.Answer : posted.Failure);
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
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", code, failure), (posted.Type, posted.Code, posted.Failure));
        Assert.Equal(-32603, posted.Json.GetProperty("resp_json").GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal("rpc_1", posted.Json.GetProperty("resp_json").GetProperty("id").GetString());
        Assert.DoesNotContain("127.0.0.1", posted.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("http://x", posted.Body, StringComparison.Ordinal);
        Assert.Equal(code == 401, posted.Body.Contains("\"WWW-Authenticate\":[\"Bearer realm=\\\"x\\\"\"]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ServerThatIsNotThereIsAFailureToConnect()
    {
        using Socket nobody = Loopback.Bind();
        Start(new Uri($"http://{nobody.LocalEndPoint}/mcp"));
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"connect","upstream_response_received":false}"""), (posted.Code, posted.Failure));
    }

    [Fact]
    public async Task ServerThatSpeaksNoTlsIsAFailureOfTls()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        Task speaking = SpeakAsync(listener);
        Start(new Uri($"https://{listener.LocalEndpoint}/mcp"));
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"tls","upstream_response_received":false}"""), (posted.Code, posted.Failure));
        await speaking;

        static async Task SpeakAsync(TcpListener listener)
        {
            using Socket client = await listener.AcceptSocketAsync();
            byte[] received = new byte[4_096];
            await client.ReceiveAsync(received);
            await client.SendAsync("HTTP/1.1 400 No\r\n\r\n"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            while (await client.ReceiveAsync(received) > 0)
            {
                // An alert.
            }
        }
    }

    [Theory]
    [InlineData("upstream-name-unresolved", "dns", 502)]
    [InlineData("upstream-name-timeout", "dns", 504)]
    [InlineData("upstream-connect-timeout", "timeout", 504)]
    [InlineData("credential-unavailable", "client_internal", 502)]
    public void FailureOfTheProxyIsToldByItsSource(string reason, string source, int code)
    {
        var error = new System.Buffers.ReadOnlySequence<byte>(System.Text.Encoding.UTF8.GetBytes(
            $$$$"""{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"m","data":{"reason":"{{{{reason}}}}"}}}"""));

        TunnelFailure failure = TunnelFailure.OfProxy(code == 504 ? 504 : 502, error)!;

        Assert.Equal((source, code, false, null), (failure.Source, failure.Code, failure.HasResponse, failure.Status));
    }

    [Fact]
    public async Task ServerThatIsTooSlowIsATimeout()
    {
        Start(
            new StandInMcpServer((_, _, cancel) => Task.Delay(Timeout.Infinite, cancel)),
            limits: new ProxyLimits { ResponseTimeout = TimeSpan.FromMilliseconds(50) });
        Plane.Give(CommandOf(List));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal((504, """{"version":1,"source":"timeout","upstream_response_received":false}"""), (posted.Code, posted.Failure));
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
        Plane.Give(CommandOf(BatchOf("1", "2")));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("jsonrpc_response", 200, $"[{second},{first}]"), (posted.Type, posted.Code, posted.Answer));
    }

    [Fact]
    public async Task RequestsOfABatchThatTheStreamLeavesOpenGetAFailure()
    {
        string first = Result.Replace("rpc_1", "1", StringComparison.Ordinal);
        Start(StandInMcpServer.Posts(StandInMcpServer.Events(first)));
        Plane.Give(CommandOf(BatchOf("1", "2")));

        JsonElement[] answers = [.. (await Plane.AnswerAsync()).Json.GetProperty("resp_json").EnumerateArray()];

        Assert.Equal(["1", "2"], answers.Select(answer => answer.GetProperty("id").GetString()));
        Assert.Equal(first, answers[0].GetRawText());
        Assert.Equal("protocol", answers[1].GetProperty("error").GetProperty("data").GetProperty("tunnel_failure").GetProperty("source").GetString());
    }

    [Fact]
    public async Task EachRequestOfABatchIsToldOfAServerThatGivesNoAnswer()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"));
        Plane.Give(CommandOf(BatchOf("1", "2")));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(["1", "2"], posted.Json.GetProperty("resp_json").EnumerateArray().Select(answer => answer.GetProperty("id").GetString()));
        Assert.Equal(500, posted.Code);
    }

    [Fact]
    public async Task BatchWithoutARequestIsAcknowledged()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        Plane.Give(CommandOf($"[{Progress},{Progress}]"));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("notify_ack", 202, ""), (posted.Type, posted.Code, posted.Answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","headers":{"Bad Name":["a"]}""")]
    [InlineData(""","headers":{"X":["a\r\nX-Smuggled: b"]}""")]
    public async Task CommandThatHttpCannotCarryReachesNoServer(string more)
    {
        Start(StandInMcpServer.Always(StandInMcpServer.Json(200, Result)));
        Plane.Give(CommandOf(more.Length == 0 ? "17" : List, more));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal((502, """{"version":1,"source":"client_internal","upstream_response_received":false}"""), (posted.Code, posted.Failure));
        Assert.Empty(Server.Requests);
    }

    [Fact]
    public async Task SessionIsEndedByItsId()
    {
        Start(StandInMcpServer.Always("HTTP/1.1 204 No Content\r\n\r\n"));
        Plane.Give("""{"request_id":"req_1","shard_token":"shard_1","command_type":"session_termination","headers":{"Mcp-Session-Id":["session_1"]}}""");

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(("session_termination_response", 204, ""), (posted.Type, posted.Code, posted.Answer));
        string request = Assert.Single(Server.Requests);
        Assert.StartsWith("DELETE /mcp HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nMcp-Session-Id: session_1\r\n", request, StringComparison.Ordinal);
    }
}
