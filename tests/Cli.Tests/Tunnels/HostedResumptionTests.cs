using System.Text;
using Xunit;
using Posted = McpProxyFast.Cli.Tests.Tunnels.StandInControlPlane.Posted;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>Streams that break off before a command is answered, or that the server ends to be asked again.</summary>
public sealed class HostedResumptionTests : HostedTunnelRig
{
    private const string Fields = ""","headers":{"Mcp-Session-Id":["session_1"],"MCP-Protocol-Version":["2025-11-25"],"Accept":["application/json, text/event-stream"]}""";

    [Fact]
    public async Task RestOfAnAnswerIsFetchedBehindTheLastEvent()
    {
        Start(Streaming($"id: e0\nretry: 10\ndata:\n\nid: e1\ndata: {Progress}\n\n", Stream($"id: e2\ndata: {Result}\n\n")));
        Plane.Give(CommandOf(List, Fields));

        Posted[] posted = [await Plane.AnswerAsync(), await Plane.AnswerAsync()];

        Assert.Equal([("jsonrpc_notify", 200, Progress), ("jsonrpc_response", 200, Result)], posted.Select(one => (one.Type, one.Code, one.Answer)));
        string[] lines = Server.Requests.Last().Split("\r\n");
        Assert.Equal("GET /mcp HTTP/1.1", lines[0]);
        Assert.Single(lines, "Last-Event-ID: e1");
        Assert.Single(lines, "Mcp-Session-Id: session_1");
        Assert.Single(lines, "MCP-Protocol-Version: 2025-11-25");
        Assert.Equal(["Accept: text/event-stream"], lines.Where(line => line.StartsWith("Accept:", StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain(lines, line => line.StartsWith("Content-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task ServerMayEndTheStreamAgainAndAgain()
    {
        Start(Streaming("id: e0\nretry: 1\ndata:\n\n", Stream("id: e1\nretry: 1\ndata:\n\n"), Stream("id: e2\nretry: 1\ndata:\n\n"), Stream($"data: {Result}\n\n")));
        Plane.Give(CommandOf(List, Fields));

        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);

        Assert.Equal(["e0", "e1", "e2"], Server.Requests.Skip(1).Select(request => request.Split("Last-Event-ID: ")[1].Split("\r\n")[0]));
    }

    [Fact]
    public async Task RestOfAStreamThatWasCutIsFetched()
    {
        const string Cut = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\nid: e1\nretry: 1\ndata:\n\ndata: {\"jsonrpc\"";
        Start(Scripted(Cut, Stream($"data: {Result}\n\n")));
        Plane.Give(CommandOf(List, Fields));

        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);
    }

    [Fact]
    public async Task RestBelongsToTheSessionThatTheStreamHasBegun()
    {
        Start(Streaming("id: e1\nretry: 1\ndata:\n\n", Stream($"data: {Result}\n\n")));
        Plane.Give(CommandOf("""{"jsonrpc":"2.0","id":"rpc_1","method":"initialize","params":{"protocolVersion":"2025-11-25"}}"""));

        Posted posted = await Plane.AnswerAsync();

        Assert.Equal(Result, posted.Answer);
        Assert.Equal("begun_1", posted.Json.GetProperty("resp_headers").GetProperty("Mcp-Session-Id")[0].GetString());
        Assert.Single(Server.Requests.Last().Split("\r\n"), "Mcp-Session-Id: begun_1");
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task ServerThatIsAwayForAMomentIsAskedAgain(int status)
    {
        Start(Streaming("id: e1\nretry: 1\ndata:\n\n", $"HTTP/1.1 {status} Later\r\nContent-Length: 0\r\n\r\n", Stream($"data: {Result}\n\n")));
        Plane.Give(CommandOf(List, Fields));

        Assert.Equal(Result, (await Plane.AnswerAsync()).Answer);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task RestThatTheServerDoesNotHaveIsAFailure(int status)
    {
        Start(Streaming("id: e1\nretry: 1\ndata:\n\n", $"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
        Plane.Give(CommandOf(List, Fields));

        await ExpectFailureAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Theory]
    [InlineData("id: e1\nretry: 1\ndata:\n\n", ""","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}""")] // this revision has no resumption
    [InlineData("retry: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/other\"}\n\n", "")] // no event to go on behind
    public async Task StreamWhoseRestCannotBeHadIsAFailure(string events, string more)
    {
        Start(Streaming(events));
        Plane.Give(CommandOf(List[..^1] + more + "}", Fields));

        await ExpectFailureAsync();

        Assert.Single(Server.Requests);
    }

    /// <summary>An event that is no message may have been the answer.</summary>
    [Fact]
    public async Task AnswerThatIsNoMessageIsNotAskedForAgainAndAgain()
    {
        Start(Streaming("id: e1\nretry: 1\ndata: {]\n\n", Stream("retry: 1\n\n")));
        Plane.Give(CommandOf(List, Fields));

        await ExpectFailureAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    private static string Stream(string events, string fields = "") =>
        $"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{fields}Connection: close\r\n\r\n{events}";

    /// <summary>A server that answers with a stream, which begins a session, and then as it is told to.</summary>
    private static StandInMcpServer Streaming(string events, params string[] then) => Scripted([Stream(events, "Mcp-Session-Id: begun_1\r\n"), .. then]);

    /// <summary>A server with an answer for each request, in their order.</summary>
    private static StandInMcpServer Scripted(params string[] answers)
    {
        int asked = -1;
        return new StandInMcpServer((_, stream, cancel) => stream.WriteAsync(Encoding.UTF8.GetBytes(answers[Interlocked.Increment(ref asked)]), cancel).AsTask());
    }

    /// <summary>Waits for the notifications, if there are any, and the failure.</summary>
    private async Task ExpectFailureAsync()
    {
        Posted posted = await Plane.AnswerAsync();
        while (posted.Type == "jsonrpc_notify")
        {
            posted = await Plane.AnswerAsync();
        }

        Assert.Equal(("jsonrpc_response", 502, """{"version":1,"source":"protocol","upstream_response_received":true}"""), (posted.Type, posted.Code, posted.Failure));
    }
}
