using System.Text;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Host, Origin, CORS and health, as a client meets them.</summary>
public sealed class AdmissionTests
{
    [Theory, OverOnly("Names are derived for a listener.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task LoopbackListenerAdmitsItsOwnNamesOnly(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedHosts = [] });
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        int port = host.Address!.Port;
        Assert.Equal(200, await StatusAsync(client, $"localhost:{port}", ""));
        Assert.Equal(200, await StatusAsync(client, $"127.0.0.1:{port}", ""));
        Assert.Equal(200, await StatusAsync(client, $"LOCALHOST:{port}", $"Origin: http://localhost:{port}\r\n"));
        Assert.Equal(200, await StatusAsync(client, "localhost", ""));
        Assert.Equal(200, await StatusAsync(client, $"host.docker.internal:{port}", ""));
        Assert.Equal(403, await StatusAsync(client, "evil.example", ""));
        Assert.Equal(403, await StatusAsync(client, $"evil.example:{port}", ""));
        Assert.Equal(403, await StatusAsync(client, $"localhost:{port + 1}", ""));
        Assert.Equal(403, await StatusAsync(client, $"localhost:{port}", "Origin: http://evil.example\r\n"));
        Assert.Equal(403, await StatusAsync(client, $"localhost:{port}", "Origin: null\r\n"));
        Assert.Equal(5, upstream.Requests.Count);
    }

    /// <summary>A tunnel's agent may have connected before it has said by which address.</summary>
    [Theory, OverOnly("An address is announced for a listener.", Over.Sockets, Over.PortableSockets)]
    public async Task AnnouncedAddressMayBeAskedForOnAConnectionThatIsOpen(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedHosts = [] });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        Assert.Equal(403, await StatusAsync(client, "first.tunnel.example", ""));
        host.Proxy.Publish(new Uri("https://first.tunnel.example"), ["localhost:4000"]);
        Assert.Equal(200, await StatusAsync(client, "first.tunnel.example", "Origin: https://first.tunnel.example\r\n"));
        Assert.Equal(200, await StatusAsync(client, "localhost:4000", ""));
        Assert.Equal(200, await StatusAsync(client, $"localhost:{host.Address!.Port}", ""));
        Assert.Equal(403, await StatusAsync(client, "first.tunnel.example", "Origin: https://evil.example\r\n"));
        Assert.Equal(403, await StatusAsync(client, "evil.example", ""));
        host.Proxy.Publish(new Uri("https://second.tunnel.example"));
        Assert.Equal(200, await StatusAsync(client, "second.tunnel.example", ""));
        Assert.Equal(403, await StatusAsync(client, "first.tunnel.example", ""));
    }

    [Theory, OverOnly("An address is announced for a listener.", Over.Sockets, Over.PortableSockets)]
    public async Task AnnouncedAddressThatIsNoneIsRefused(Over over)
    {
        await using var host = new WireHost(over);
        Assert.All(
            ["ftp://a", "https://a:b@c", "https://a?b", "https://a#b"],
            address => Assert.Equal("address", Assert.Throws<ArgumentException>(() => host.Proxy.Publish(new Uri(address))).ParamName));
        Assert.Throws<ArgumentException>(() => host.Proxy.Publish(new Uri("https://a"), ["a/b"]));
    }

    [Theory, OverEvery]
    public async Task RefusedOriginGetsAJsonRpcErrorWithoutAnId(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedOrigins = ["https://app.example"] });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nContent-Length: 8\r\n\r\n{\"id\":1}");
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(403, answer.Status);
        Assert.Equal("""{"jsonrpc":"2.0","error":{"code":-32600,"message":"Origin not allowed"}}""", answer.Body);
        Assert.Equal((ExchangeEnd.Refused, "origin-not-allowed"), await EndAsync(host));
        Assert.Equal(0, host.Connects);
    }

    /// <summary>The answer to a TRACE is the request as it arrived (RFC 9110 §9.3.8): the credential must not be in it.</summary>
    [Theory, OverEvery]
    public async Task TraceIsNotForwardedWithACredential(Over over)
    {
        await using var host = new WireHost(over, options => options with { Outgoing = OutgoingPolicy.Bearer("secret") });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("TRACE /mcp HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(405, (await client.ReadResponseAsync()).Status);
        Assert.Equal((ExchangeEnd.AnsweredByProxy, ""), await EndAsync(host));
        Assert.Equal(0, host.Connects);
    }

    [Theory, OverEvery]
    public async Task TwoOriginsAreRefused(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedOrigins = ["https://app.example"] });
        RawPeer client = await host.ConnectAsync();
        Assert.Equal(403, await StatusAsync(client, "h", "Origin: https://app.example\r\nOrigin: https://app.example\r\n"));
    }

    /// <summary>As <c>&lt;img src="http://127.0.0.1:9000/..."&gt;</c> does, which sends no Origin.</summary>
    [Theory, OverOnly("The rule is a loopback listener's.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task LoopbackListenerAnswersNoPageOfAnotherSite(Over over)
    {
        await using var host = new WireHost(over, options => options with
        {
            AllowedOrigins = ["https://app.example"],
            Outgoing = OutgoingPolicy.Bearer("secret"),
        });
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        Assert.Equal(403, await StatusAsync(client, "h", "Sec-Fetch-Site: cross-site\r\n"));
        Assert.Equal((ExchangeEnd.Refused, "cross-site-not-allowed"), await EndAsync(host));
        Assert.Equal(403, await StatusAsync(client, "h", "sec-fetch-site: Cross-Site\r\n"));
        Assert.Equal(403, await StatusAsync(client, "h", "Sec-Fetch-Site: same-site\r\n"));
        Assert.Equal(403, await StatusAsync(client, "h", "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"));
        Assert.Equal(403, await StatusAsync(client, "h", "Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n"));
        Assert.Empty(upstream.Requests);
        Assert.Equal(200, await StatusAsync(client, "h", "Sec-Fetch-Site: cross-site\r\nOrigin: https://app.example\r\n"));
        Assert.Equal(200, await StatusAsync(client, "h", "Sec-Fetch-Site: same-origin\r\n"));
        Assert.Equal(200, await StatusAsync(client, "h", "Sec-Fetch-Site: none\r\n"));
        Assert.Equal(3, upstream.Requests.Count);
    }

    [Theory, OverEvery]
    public async Task HostOutsideTheListIsRefused(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedHosts = ["mcp.example"] });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        Assert.Equal(403, await StatusAsync(client, "other.example", ""));
        Assert.Equal(200, await StatusAsync(client, "MCP.example", ""));
        Assert.Equal(200, await StatusAsync(client, "mcp.example:8443", ""));
        Assert.Equal(403, await StatusAsync(client, "mcp.example.evil.example", ""));
    }

    [Theory, OverEvery]
    public async Task PreflightIsAnsweredForListedOriginsAndAnswersCarryTheirFields(Over over)
    {
        await using var host = new WireHost(over, options => options with { CorsOrigins = ["https://app.example"] });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(
            "OPTIONS /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
            + "Access-Control-Request-Headers: mcp-param-region,traceparent\r\n\r\n");
        StrictMessage preflight = await client.ReadResponseAsync();
        Assert.Equal("mcp-param-region,traceparent", preflight.Field("Access-Control-Allow-Headers"));
        Assert.Equal((204, "https://app.example"), (preflight.Status, preflight.Field("Access-Control-Allow-Origin")));
        Assert.Equal(0, host.Connects);
        await client.SendAsync("GET /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n");
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok");
        Assert.Equal(["https://app.example"], (await client.ReadResponseAsync()).All("Access-Control-Allow-Origin"));
    }

    [Theory, OverEvery]
    public async Task PreflightIsLeftToTheUpstreamWhereCorsIsOff(Over over)
    {
        await using var host = new WireHost(over, options => options with { AllowedOrigins = ["https://app.example"] });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("OPTIONS /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n");
        RawPeer upstream = await host.AcceptAsync();
        Assert.Equal("OPTIONS /mcp HTTP/1.1", (await upstream.ReadRequestAsync()).StartLine);
    }

    /// <summary>Section signs and all.</summary>
    [Theory, OverEvery]
    public async Task SentenceOfARefusalIsUtf8(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("GET /mcp HTTP/1.1\r\n\r\n");
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal("text/plain; charset=utf-8", answer.Field("Content-Type"));
        Assert.Equal("The Host field is missing. (RFC 9112 §3.2)\n", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(answer.Body)));
    }

    [Theory, OverEvery]
    public async Task HealthSaysHealthyAndNothingOfTheBuild(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.GetOf("/health"));
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal("application/json", answer.Field("Content-Type"));
        Assert.Matches("""^\{"status":"healthy","timestamp":"[0-9T:.Z-]+","transport":""\}$""", answer.Body);
        Assert.Equal((ExchangeEnd.AnsweredByProxy, ""), await EndAsync(host));
    }

    private static async Task<int> StatusAsync(RawPeer client, string host, string fields)
    {
        await client.SendAsync($"GET /mcp HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
        return (await client.ReadResponseAsync()).Status;
    }

    private static async Task<(ExchangeEnd End, string Reason)> EndAsync(WireHost host)
    {
        ReportedExchange report = await host.Reports.NextAsync();
        return (report.End, report.Reason);
    }
}
