using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>The wire rules of the design that change a head: targets, forwarding fields, redirects and locations.</summary>
public sealed class RewritingTests
{
    [Theory]
    [InlineData("/", "/v2/mcp")]
    [InlineData("/mcp", "/v2/mcp")]
    [InlineData("/v2/mcp", "/v2/mcp")]
    [InlineData("/?a=1", "/v2/mcp?a=1")]
    [InlineData("/mcp/", "/mcp/")]
    [InlineData("/mcp/x", "/mcp/x")]
    [InlineData("/messages?session=1", "/messages?session=1")]
    [InlineData("/%6dcp", "/%6dcp")]
    [InlineData("http://h", "/v2/mcp")]
    public Task TargetsPathReplacesTheMcpEndpoint(string received, string sent) => ExpectTargetAsync("/v2/mcp", received, sent);

    [Theory]
    [InlineData("/mcp", "/v2/mcp?x=1,2")]
    [InlineData("/mcp?a=%20", "/v2/mcp?x=1,2&a=%20")]
    [InlineData("/other?b", "/other?x=1,2&b")]
    [InlineData("/other", "/other?x=1,2")]
    public Task TargetsQueryComesFirst(string received, string sent) => ExpectTargetAsync("/v2/mcp?x=1,2", received, sent);

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/mcp", "/mcp")]
    public Task TargetWithoutAPathChangesNothing(string received, string sent) => ExpectTargetAsync("", received, sent);

    [Fact]
    public async Task SetTellsTheClientsAddressHostAndScheme()
    {
        StrictMessage sent = await ForwardAsync(ForwardedFields.Set, "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x\r\nX-Forwarded-Prefix: /p\r\n");
        Assert.Equal([WireHost.ClientAddress], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["http"], sent.All("X-Forwarded-Proto"));
        Assert.Empty(sent.All("Forwarded"));
        Assert.Empty(sent.All("X-Forwarded-Prefix"));
    }

    [Fact]
    public async Task AutomaticIsSetForAnHttpUpstream()
    {
        StrictMessage sent = await ForwardAsync(ForwardedFields.Automatic, "");
        Assert.Equal([WireHost.ClientAddress], sent.All("X-Forwarded-For"));
    }

    [Fact]
    public async Task AppendAddsTheClientsAddressToOneList()
    {
        StrictMessage sent = await ForwardAsync(
            ForwardedFields.Append, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8, 9.9.9.9\r\nX-Forwarded-Host: outer\r\nX-Forwarded-Proto: https\r\n");
        Assert.Equal([$"1.2.3.4, 5.6.7.8, 9.9.9.9, {WireHost.ClientAddress}"], sent.All("X-Forwarded-For"));
        Assert.Equal(["outer"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["https"], sent.All("X-Forwarded-Proto"));
    }

    [Fact]
    public async Task AppendSetsWhatNobodyHasSet()
    {
        StrictMessage sent = await ForwardAsync(ForwardedFields.Append, "");
        Assert.Equal([WireHost.ClientAddress], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
        Assert.Equal(["http"], sent.All("X-Forwarded-Proto"));
    }

    [Fact]
    public async Task OffSendsNone()
    {
        StrictMessage sent = await ForwardAsync(ForwardedFields.Off, "X-Forwarded-For: 1.2.3.4\r\n");
        Assert.DoesNotContain(sent.Fields, field => field.Name.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task ConnectionCannotRemoveWhatTheProxySets()
    {
        StrictMessage sent = await ForwardAsync(ForwardedFields.Set, "Connection: X-Forwarded-For, X-Forwarded-Host\r\n");
        Assert.Equal([WireHost.ClientAddress], sent.All("X-Forwarded-For"));
        Assert.Equal(["example.com:8080"], sent.All("X-Forwarded-Host"));
    }

    [Theory]
    [InlineData("http://{up}/new?a#b", "http://h/new?a#b")]
    [InlineData("http://{up}?a", "http://h?a")]
    [InlineData("http://{up}.evil/new", "http://{up}.evil/new")]
    [InlineData("http://{up}@evil/new", "http://{up}@evil/new")]
    [InlineData("https://{up}/new", "https://{up}/new")]
    [InlineData("https://login.example.com/authorize", "https://login.example.com/authorize")]
    [InlineData("/new", "/new")]
    public async Task LocationOnTheUpstreamsOriginBecomesOurs(string received, string sent)
    {
        await using var host = new WireHost(Over.Pipes);
        StrictMessage answer = await AnswerAsync(host, Redirect(302, received.Replace("{up}", host.Authority, StringComparison.Ordinal)));
        Assert.Equal(sent.Replace("{up}", host.Authority, StringComparison.Ordinal), answer.Field("Location"));
    }

    [Theory]
    [InlineData(307, "/mcp/", "/mcp/")]
    [InlineData(308, "/mcp/?x=1", "/mcp/?x=1")]
    [InlineData(307, "http://{up}/mcp/#part", "/mcp/")]
    public async Task RedirectWithinTheUpstreamIsFollowed(int status, string location, string target)
    {
        await using var host = new WireHost(Over.Pipes);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        RawPeer first = await host.AcceptAsync();
        await first.ReadRequestAsync();
        await first.SendAsync(Redirect(status, location.Replace("{up}", host.Authority, StringComparison.Ordinal)));
        RawPeer second = await host.AcceptAsync();
        StrictMessage followed = await second.ReadRequestAsync();
        Assert.Equal(($"POST {target} HTTP/1.1", "{}"), (followed.StartLine, followed.Body));
        await second.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(2, (await host.Reports.NextAsync()).Attempts);
    }

    [Theory]
    [InlineData(301, "/mcp/")]
    [InlineData(302, "/mcp/")]
    [InlineData(303, "/mcp/")]
    [InlineData(307, "http://elsewhere/mcp/")]
    [InlineData(307, "https://{up}/mcp/")]
    [InlineData(307, "//elsewhere/mcp/")]
    [InlineData(307, "mcp/")]
    [InlineData(307, "/m cp/")]
    public async Task OtherRedirectsArePassed(int status, string location)
    {
        await using var host = new WireHost(Over.Pipes);
        Assert.Equal(status, (await AnswerAsync(host, Redirect(status, location.Replace("{up}", host.Authority, StringComparison.Ordinal)))).Status);
        Assert.Equal(1, host.Connects);
    }

    [Fact]
    public async Task EndlessRedirectsAreFollowedFiveTimes()
    {
        await using var host = new WireHost(Over.Pipes);
        AnsweringUpstream upstream = AnsweringUpstream.Start(host, _ => Redirect(307, "/again"));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        Assert.Equal(307, (await client.ReadResponseAsync()).Status);
        Assert.Equal(6, upstream.Requests.Count);
    }

    private static string Redirect(int status, string location) => $"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n";

    private static async Task<StrictMessage> AnswerAsync(WireHost host, string response)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(response);
        return await client.ReadResponseAsync();
    }

    private static async Task ExpectTargetAsync(string path, string received, string sent)
    {
        await using var host = new WireHost(Over.Pipes, options => options with { Target = new Uri(options.Target, path) });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.GetOf(received));
        RawPeer upstream = await host.AcceptAsync();
        Assert.Equal($"GET {sent} HTTP/1.1", (await upstream.ReadRequestAsync()).StartLine);
    }

    private static async Task<StrictMessage> ForwardAsync(ForwardedFields mode, string fields)
    {
        await using var host = new WireHost(Over.Pipes, options => options with { ForwardedFields = mode });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync($"GET /mcp HTTP/1.1\r\nHost: example.com:8080\r\n{fields}\r\n");
        RawPeer upstream = await host.AcceptAsync();
        return await upstream.ReadRequestAsync();
    }
}
