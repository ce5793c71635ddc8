using System.Net;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>What an observer is told of an exchange: enough for an access log.</summary>
public sealed class ReportTests
{
    private const string Call =
        "POST /mcp?key=value HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\nMcp-Method: tools/call\r\nMCP-NAME: echo\r\nContent-Length: 2\r\n\r\n{}";

    [Theory, OverEvery]
    public async Task ReportSaysWhoAskedForWhatFromWhere(Over over)
    {
        await using var host = new WireHost(over, options => options with { Incoming = TokenPolicy.Custom(new ScriptedValidator()) });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Call);
            await client.ReadResponseAsync();
            ReportedExchange report = await host.Reports.NextAsync();
            Assert.Equal(("POST", "/mcp", "key=value", "tools/call", "echo"), (report.Method, report.Path, report.Query, report.McpMethod, report.McpName));
            Assert.Equal(("alice", IPAddress.Parse(WireHost.ClientAddress(over))), (report.Caller, report.Peer));
            Assert.Equal((i > 0, ""), (report.IsUpstreamReused, report.Rule));
        }
    }

    [Theory, OverEvery]
    public async Task ReportOfAStreamSaysItToo(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Call);
        await upstream.SendAsync(Messages.StreamHead + "2\r\nhi\r\n");
        await client.ReadThroughAsync("hi\r\n");
        await upstream.SendAsync("0\r\n\r\n");
        await client.ReadThroughAsync("0\r\n\r\n");
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal(("POST", "/mcp", "key=value", "tools/call", "echo"), (report.Method, report.Path, report.Query, report.McpMethod, report.McpName));
        Assert.Null(report.Caller);
    }

    [Fact]
    public async Task RefusalSaysWhichRuleWasBroken()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { AllowedHosts = ["a.example"] });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal(("GET", "/mcp", "host-not-allowed", "MCP Streamable HTTP, security warning"), (report.Method, report.Path, report.Reason, report.Rule));
    }

    [Fact]
    public async Task NothingOfTheLastRequestIsSaidOfAMalformedOne()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { Incoming = TokenPolicy.Custom(new ScriptedValidator()) });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Call);
        await host.Reports.NextAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost : h\r\n\r\n");
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal(("", "", "", "", ""), (report.Method, report.Path, report.Query, report.McpMethod, report.McpName));
        Assert.Equal((null, "RFC 9112 §5.1"), (report.Caller, report.Rule));
    }

    [Fact]
    public async Task FieldThatStandsTwiceIsNotReported()
    {
        await using var host = new WireHost(Over.Pipes);
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nMcp-Name: a\r\nMcp-Name: b\r\n\r\n");
        Assert.Equal("", (await host.Reports.NextAsync()).McpName);
    }

    [Fact]
    public void EmptyReportHasNoNulls()
    {
        var report = default(ExchangeReport);
        Assert.Equal(("", ""), (report.Reason, report.Rule));
        Assert.True(report.Method.IsEmpty && report.Path.IsEmpty && report.Query.IsEmpty && report.McpMethod.IsEmpty && report.McpName.IsEmpty);
    }
}
