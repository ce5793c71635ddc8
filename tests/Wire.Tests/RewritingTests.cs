using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>The wire rules of the design that change a head: targets, forwarding fields, redirects and locations.</summary>
public sealed class RewritingTests
{
    [Theory]
    [OverEvery("/", "/v2/mcp")]
    [OverEvery("/mcp", "/v2/mcp")]
    [OverEvery("/v2/mcp", "/v2/mcp")]
    [OverEvery("/?a=1", "/v2/mcp?a=1")]
    [OverEvery("/mcp/", "/v2/mcp")]
    [OverEvery("/mcp/x", "/mcp/x")]
    [OverEvery("/messages?session=1", "/messages?session=1")]
    [OverEvery("/%6dcp", "/%6dcp")]
    [OverEvery("http://h", "/v2/mcp")]
    public Task TargetsPathReplacesTheMcpEndpoint(Over over, string received, string sent) => ExpectTargetAsync(over, "/v2/mcp", received, sent);

    [Theory]
    [OverEvery("/mcp", "/v2/mcp?x=1,2")]
    [OverEvery("/mcp?a=%20", "/v2/mcp?x=1,2&a=%20")]
    [OverEvery("/other?b", "/other?x=1,2&b")]
    [OverEvery("/other", "/other?x=1,2")]
    public Task TargetsQueryComesFirst(Over over, string received, string sent) => ExpectTargetAsync(over, "/v2/mcp?x=1,2", received, sent);

    [Theory]
    [OverEvery("/", "/")]
    [OverEvery("/mcp", "/mcp")]
    public Task TargetWithoutAPathChangesNothing(Over over, string received, string sent) => ExpectTargetAsync(over, "", received, sent);

    [Theory, OverEvery]
    public async Task SetTellsTheClientsAddressHostAndScheme(Over over)
    {
        StrictMessage sent = await ForwardAsync(over, ForwardedFields.Set, "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x\r\nX-Forwarded-Prefix: /p\r\n");
        Assert.Equal([WireHost.ClientAddress(over)], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["http"], sent.All("X-Forwarded-Proto"));
        Assert.Empty(sent.All("Forwarded"));
        Assert.Empty(sent.All("X-Forwarded-Prefix"));
    }

    [Theory, OverEvery]
    public async Task AutomaticIsSetForAnHttpUpstreamAndOffForAnHttpsOne(Over over)
    {
        StrictMessage sent = await ForwardAsync(over, ForwardedFields.Automatic, "");
        Assert.Equal(over is Over.Tls ? [] : [WireHost.ClientAddress(over)], sent.All("X-Forwarded-For"));
    }

    [Theory, OverEvery]
    public async Task AppendAddsTheClientsAddressToOneList(Over over)
    {
        StrictMessage sent = await ForwardAsync(
            over,
            ForwardedFields.Append,
            "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8, 9.9.9.9\r\nX-Forwarded-Host: outer\r\nX-Forwarded-Proto: https\r\n");
        Assert.Equal([$"1.2.3.4, 5.6.7.8, 9.9.9.9, {WireHost.ClientAddress(over)}"], sent.All("X-Forwarded-For"));
        Assert.Equal(["outer"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["https"], sent.All("X-Forwarded-Proto"));
    }

    [Theory, OverEvery]
    public async Task AppendSetsWhatNobodyHasSet(Over over)
    {
        StrictMessage sent = await ForwardAsync(over, ForwardedFields.Append, "");
        Assert.Equal([WireHost.ClientAddress(over)], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["http"], sent.All("X-Forwarded-Proto"));
    }

    [Theory, OverEvery]
    public async Task OffSendsNone(Over over)
    {
        StrictMessage sent = await ForwardAsync(over, ForwardedFields.Off, "X-Forwarded-For: 1.2.3.4\r\n");
        Assert.DoesNotContain(sent.Fields, field => field.Name.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase));
    }

    [Theory, OverEvery]
    public async Task ConnectionCannotRemoveWhatTheProxySets(Over over)
    {
        StrictMessage sent = await ForwardAsync(over, ForwardedFields.Set, "Connection: X-Forwarded-For, X-Forwarded-Host\r\n");
        Assert.Equal([WireHost.ClientAddress(over)], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
    }

    [Theory]
    [OverEvery("{scheme}://{up}/new?a#b", "http://h/new?a#b")]
    [OverEvery("{scheme}://{up}?a", "http://h?a")]
    [OverEvery("{scheme}://{up}.evil/new", "{scheme}://{up}.evil/new")]
    [OverEvery("{scheme}://{up}@evil/new", "{scheme}://{up}@evil/new")]
    [OverEvery("{other}://{up}/new", "{other}://{up}/new")]
    [OverEvery("https://login.example.com/authorize", "https://login.example.com/authorize")]
    [OverEvery("/new", "/new")]
    public async Task LocationOnTheUpstreamsOriginBecomesOurs(Over over, string received, string sent)
    {
        await using var host = new WireHost(over);
        StrictMessage answer = await AnswerAsync(host, Redirect(302, Resolve(received, over, host)));
        Assert.Equal(Resolve(sent, over, host), answer.Field("Location"));
    }

    [Theory]
    [OverEvery(307, "/mcp/", "/mcp/")]
    [OverEvery(308, "/mcp/?x=1", "/mcp/?x=1")]
    [OverEvery(307, "{scheme}://{up}/mcp/#part", "/mcp/")]
    public async Task RedirectWithinTheUpstreamIsFollowedOnTheSameConnection(Over over, int status, string location, string target)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync(Redirect(status, Resolve(location, over, host)));
        StrictMessage followed = await upstream.ReadRequestAsync();
        Assert.Equal(($"POST {target} HTTP/1.1", "{}"), (followed.StartLine, followed.Body));
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(1, host.Connects);
        Assert.Equal(2, (await host.Reports.NextAsync()).Attempts);
    }

    /// <summary>As a server behind a TLS terminator redirects.</summary>
    [Theory, OverOnly("Only here the target is https.", Over.Tls)]
    public async Task RedirectWithTheLowerSchemeIsFollowedOverHttps(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync(Redirect(307, $"http://{host.Authority}/mcp/"));
        Assert.Equal("POST /mcp/ HTTP/1.1", (await upstream.ReadRequestAsync()).StartLine);
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    /// <summary>MCP 2024-11-05: where the first event leads, the client posts.</summary>
    [Theory]
    [OverEvery("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n", "/messages?id=1")]
    [OverEvery("HTTP/1.1 200 OK\r\nContent-Type: TEXT/Event-Stream\r\nContent-Length: {length}\r\n\r\n", "/messages?id=1")]
    [OverEvery("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "/messages?id=1")]
    [OverEvery("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: x\r\nContent-Length: {length}\r\n\r\n", "{scheme}://{up}/messages?id=1")]
    [OverEvery("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n", "{scheme}://{up}/messages?id=1")]
    public async Task EndpointEventLeadsBackToTheProxy(Over over, string head, string endpoint)
    {
        for (int cut = 0; cut < 3; cut++)
        {
            await using var host = new WireHost(over);
            string events = Resolve("event: endpoint\ndata: {scheme}://{up}/messages?id=1\n\n", over, host);
            string body = head.Contains("chunked", StringComparison.Ordinal) ? $"{events.Length:x}\r\n{events}\r\n0\r\n\r\n" : events;
            (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
            string answer = head.Replace("{length}", $"{events.Length}", StringComparison.Ordinal) + body;
            int first = answer.Length - cut * body.Length / 2; // whole; within the event; the head alone
            await upstream.SendAsync(answer[..first]);
            if (cut > 0)
            {
                await client.ReadThroughAsync("\r\n\r\n");
            }

            await upstream.SendAsync(answer[first..]);
            upstream.Finish();
            string received = cut > 0 ? await client.ReadThroughAsync("\n\n") : (await client.ReadResponseAsync()).Body;
            Assert.Contains(Resolve($"data: {endpoint}\n\n", over, host), received, StringComparison.Ordinal);
        }
    }

    [Theory, OverEvery]
    public async Task EndpointEventOfAPostIsNobodys(Over over)
    {
        await using var host = new WireHost(over);
        string events = Resolve("event: endpoint\ndata: {scheme}://{up}/messages?id=1\n\n", over, host);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {events.Length}\r\n\r\n{events}");
        Assert.Equal(events, (await client.ReadResponseAsync()).Body);
    }

    [Theory]
    [OverEvery(301, "/mcp/")]
    [OverEvery(302, "/mcp/")]
    [OverEvery(303, "/mcp/")]
    [OverEvery(307, "http://elsewhere/mcp/")]
    [OverEvery(307, "{other}://{up}/mcp/")]
    [OverEvery(307, "//elsewhere/mcp/")]
    [OverEvery(307, "mcp/")]
    [OverEvery(307, "/m cp/")]
    public async Task OtherRedirectsArePassed(Over over, int status, string location)
    {
        await using var host = new WireHost(over);
        Assert.Equal(status, (await AnswerAsync(host, Redirect(status, Resolve(location, over, host)))).Status);
        Assert.Equal(1, host.Connects);
    }

    /// <summary>A client that followed would come back as <c>/mcp</c>, and be redirected again.</summary>
    [Theory]
    [OverEvery(301, "GET", "/mcp/")]
    [OverEvery(302, "GET", "/mcp/?a=1")]
    [OverEvery(303, "GET", "/mcp/")]
    [OverEvery(301, "POST", "/mcp/")]
    [OverEvery(302, "POST", "/")]
    public async Task RedirectThatWouldLeadTheClientBackIsFollowedForIt(Over over, int status, string method, string location)
    {
        await using var host = new WireHost(over, options => options with { Target = new Uri(options.Target, "/mcp") });
        AnsweringUpstream upstream = AnsweringUpstream.Start(host, request => request.StartLine.Contains(" /mcp ", StringComparison.Ordinal) ? Redirect(status, location) : Messages.Ok);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(method is "GET" ? Messages.Get : Messages.Post);

        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal($"{method} {location} HTTP/1.1", upstream.Requests.Last().StartLine);
    }

    [Theory]
    [OverEvery(301, "GET", "/elsewhere")]
    [OverEvery(302, "GET", "/mcp?a=1")]
    [OverEvery(303, "POST", "/mcp/")]
    public async Task RedirectThatLeadsTheClientOnIsPassed(Over over, int status, string method, string location)
    {
        await using var host = new WireHost(over, options => options with { Target = new Uri(options.Target, "/mcp") });
        AnsweringUpstream.Start(host, _ => Redirect(status, location));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(method is "GET" ? Messages.Get : Messages.Post);

        Assert.Equal(status, (await client.ReadResponseAsync()).Status);
    }

    [Theory, OverEvery]
    public async Task EndlessRedirectsAreFollowedFiveTimes(Over over)
    {
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Start(host, _ => Redirect(307, "/again"));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        Assert.Equal(307, (await client.ReadResponseAsync()).Status);
        Assert.Equal(6, upstream.Requests.Count);
    }

    private static string Resolve(string location, Over over, WireHost host) => location
        .Replace("{up}", host.Authority, StringComparison.Ordinal)
        .Replace("{scheme}", WireHost.TargetScheme(over), StringComparison.Ordinal)
        .Replace("{other}", over is Over.Tls ? "ftp" : "https", StringComparison.Ordinal);

    private static string Redirect(int status, string location) => $"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n";

    private static async Task<StrictMessage> AnswerAsync(WireHost host, string response)
    {
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(response);
        return await client.ReadResponseAsync();
    }

    private static async Task ExpectTargetAsync(Over over, string path, string received, string sent)
    {
        await using var host = new WireHost(over, options => options with { Target = new Uri(options.Target, path) });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.GetOf(received));
        RawPeer upstream = await host.AcceptAsync();
        Assert.Equal($"GET {sent} HTTP/1.1", (await upstream.ReadRequestAsync()).StartLine);
    }

    private static async Task<StrictMessage> ForwardAsync(Over over, ForwardedFields mode, string fields)
    {
        await using var host = new WireHost(over, options => options with { ForwardedFields = mode });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync($"GET /mcp HTTP/1.1\r\nHost: example.com:8080\r\n{fields}\r\n");
        RawPeer upstream = await host.AcceptAsync();
        return await upstream.ReadRequestAsync();
    }
}
