using System.Collections.Concurrent;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>The credential is the target's: it goes to no other path, and no other path has a say in it.</summary>
public sealed class CredentialScopeTests : IDisposable
{
    private readonly HttpClient _client = new();
    private readonly TemporaryFolder _folder = new();

    /// <summary>What was requested of paths that answer all alike, and the credential that came with it.</summary>
    private readonly ConcurrentQueue<(string Path, string Authorization)> _seen = new();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("/mcp/below", true)]
    [InlineData("/mcp/below/", true)]
    [InlineData("/mcpx", false)]
    [InlineData("/other/mcp", false)]
    [InlineData("/MCP", false)]
    public async Task ATokenGoesToTheTargetsPathAndBelowItOnly(string path, bool isCovered)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[path] = NoteAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(target: rig.Server.Target);

        Assert.Equal(200, await AskAsync(proxy, path));

        (string asked, string authorization) = Assert.Single(_seen);
        Assert.Equal((path, isCovered), (asked, authorization.StartsWith("Bearer access-", StringComparison.Ordinal)));
        Assert.True(isCovered || authorization.Length == 0);
        Assert.Equal(200, await AskAsync(proxy, "/mcp"));
    }

    [Theory]
    [InlineData("/v1/mcp", "/v1/mcp", true)]
    [InlineData("/v1/mcp", "/v1/mcp/a%20b", true)]
    [InlineData("/v1/mcp/", "/v1/mcp", true)]
    [InlineData("/v1/mcp", "/v1/mcp/../evil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/..;/evil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/%2e%2e/evil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/.%2E/evil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/..%2fevil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/%252e%252e/evil", false)]
    [InlineData("/v1/mcp", "/v1/mcp/..%5cevil", false)]
    [InlineData("/v1/mcp", "/v1/mcp%2f..%2fevil", false)]
    [InlineData("/v1/mcp", "/v1", false)]
    [InlineData("/v1/mcp", "/", false)]
    [InlineData("/v1/mcp", "*", false)]
    [InlineData("/v1/mcp", "/v1/%6dcp", false)]
    [InlineData("/", "/anything/../at/all", true)]
    public void PathsThatServersReadDifferentlyAreNotCovered(string target, string path, bool isCovered)
    {
        var scope = new CredentialScope(new Uri($"https://up.test{target}"), isForOrigin: true);
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(path);

        Assert.Equal((isCovered, isCovered, isCovered), (scope.Covers(bytes), scope.Concerns(bytes), scope.MayAsk(bytes)));
    }

    [Fact]
    public void AskingForCoverAllocatesNothing()
    {
        var scope = new CredentialScope(new Uri("https://up.test/v1/mcp"), isForOrigin: false);
        bool covered = scope.Covers("/v1/mcp/a"u8);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            covered &= scope.Covers("/v1/mcp/a"u8) && scope.Concerns("/v1/mcp"u8) && scope.MayAsk("/v1/mcp"u8);
        }

        Assert.True(covered);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A401OfAnotherTenantReachesTheClientAndStartsNothing(bool isBareOrigin)
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer evil = await SignInServer.StartAsync(rig.Clock);
        OfferTenant(rig.Server, evil);
        OutgoingPolicy policy = Rig.Policy with { Store = new CredentialStoreFile(_folder.File("store")) };
        ForwardingProxy proxy = await rig.ProxyAsync(policy, isBareOrigin ? null : rig.Server.Target);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        CredentialLine? before = rig.Source.Current;

        Assert.Equal(401, await AskAsync(proxy, "/evil/mcp"));

        Assert.Empty(evil.Authorizations);
        Assert.Same(before, rig.Source.Current);
        Assert.Equal([("/evil/mcp", "")], _seen);
        await rig.DisposeProxiesAsync();
        ForwardingProxy next = await rig.ProxyAsync(policy, isBareOrigin ? null : rig.Server.Target);
        Assert.Equal(401, await AskAsync(next, "/evil/mcp"));
        Assert.Equal(200, (await rig.AskAsync(next)).Status);
        Assert.All(_seen, seen => Assert.Equal("", seen.Authorization));
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AnotherTenantOfABareOriginDoesNotWaitForTheSignInOfTheFirst()
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer evil = await SignInServer.StartAsync(rig.Clock);
        OfferTenant(rig.Server, evil);
        rig.Browser.IsAttended = false;
        ForwardingProxy proxy = await rig.ProxyAsync();
        Task<(int Status, string Body)> first = rig.AskAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);

        Assert.Equal(401, await AskAsync(proxy, "/evil/mcp"));

        using HttpResponseMessage signedIn = await _client.GetAsync(rig.Browser.LastUrl);
        Assert.Equal(200, (await first).Status);
        Assert.Equal([("/evil/mcp", "")], _seen);
    }

    [Theory]
    [InlineData("Basic realm=\"files\"")]
    [InlineData("Negotiate, NTLM")]
    public async Task A401ForAnotherKindOfCredentialPassesAndThrowsNoTokenAway(string challenge)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(target: rig.Server.Target);
        CredentialLine? before = rig.Source.Current;
        rig.Server.Overrides["/mcp/files"] = http => RefuseAsync(http, challenge);

        Assert.Equal(401, await AskAsync(proxy, "/mcp/files"));

        Assert.Same(before, rig.Source.Current);
        Assert.Single(rig.Server.TokenRequests);
        Assert.Single(_seen);
    }

    [Theory]
    [InlineData("Basic realm=\"files\"")]
    [InlineData("")]
    public async Task OfABareOriginOnlyAChallengeThatATokenAnswersStartsASignIn(string challenge)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        rig.Server.Overrides["/admin"] = http => RefuseAsync(http, challenge);

        Assert.Equal(401, await AskAsync(proxy, "/admin"));
        Assert.Empty(rig.Server.Authorizations);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Theory]
    [InlineData("Basic realm=\"files\"", 401)]
    [InlineData("Bearer", 503)]
    public async Task AGivenTokenIsHeldToTheSamePaths(string challenge, int status)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/mcp"] = http => RefuseAsync(http, challenge);
        rig.Server.Overrides["/other"] = http => RefuseAsync(http, challenge);
        ForwardingProxy proxy = await rig.ProxyAsync(OutgoingPolicy.Bearer("given"), rig.Server.Target);

        Assert.Equal(status, await AskAsync(proxy, "/mcp"));
        Assert.Equal(401, await AskAsync(proxy, "/other"));

        Assert.Equal([("/mcp", "Bearer given"), ("/other", "")], _seen);
    }

    [Fact]
    public async Task AGivenTokenForABareOriginIsForAllOfIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/other"] = NoteAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(OutgoingPolicy.Bearer("given"));

        Assert.Equal(200, await AskAsync(proxy, "/other"));

        Assert.Equal([("/other", "Bearer given")], _seen);
    }

    [Theory]
    [InlineData("/messages?session=1")]
    [InlineData("messages?session=1")]
    [InlineData("{origin}/messages?session=1")]
    public async Task ThePathThatTheResourceTellsItsClientsToPostToBelongsToIt(string endpoint)
    {
        await using Rig rig = await Rig.StartAsync();
        string announced = endpoint.Replace("{origin}", rig.Server.Origin, StringComparison.Ordinal);
        rig.Server.Overrides["/sse"] = http => AnnounceAsync(http, announced);
        rig.Server.Overrides["/messages"] = NoteAsync;
        rig.Server.Overrides["/other"] = NoteAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(OutgoingPolicy.Bearer("given"), new Uri($"{rig.Server.Origin}/sse"));
        Assert.Equal(200, await AskAsync(proxy, "/messages?session=1"));

        await _client.GetStringAsync(new Uri(proxy.Address, "/sse"));
        Assert.Equal(200, await AskAsync(proxy, "/messages?session=1"));
        Assert.Equal(200, await AskAsync(proxy, "/other"));

        Assert.Equal([("/messages", ""), ("/messages", "Bearer given"), ("/other", "")], _seen);
    }

    [Theory]
    [InlineData("/foreign", "/messages")]
    [InlineData("/sse", "http://elsewhere.test/messages")]
    [InlineData("/sse", "//elsewhere.test/messages")]
    public async Task NobodyElseAnnouncesAPathAndNoneOfAnotherOriginCounts(string stream, string endpoint)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[stream] = http => AnnounceAsync(http, endpoint);
        rig.Server.Overrides["/messages"] = NoteAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(OutgoingPolicy.Bearer("given"), new Uri($"{rig.Server.Origin}/sse"));

        await _client.GetStringAsync(new Uri(proxy.Address, stream));
        Assert.Equal(200, await AskAsync(proxy, "/messages"));

        Assert.Equal([("/messages", "")], _seen);
    }

    [Fact]
    public void AnnouncedPathsAreBoundedAndTheOldestGoesFirst()
    {
        var scope = new CredentialScope(new Uri("https://up.test/sse"), isForOrigin: true);
        for (int i = 0; i <= CredentialScope.MaxAnnounced; i++)
        {
            scope.Announce($"/messages/{i}");
        }

        Assert.False(scope.Covers("/messages/0"u8));
        Assert.True(scope.Covers("/messages/1"u8));
        Assert.True(scope.Covers("/messages/256"u8));
    }

    [Theory]
    [InlineData("/mcp/", true)]
    [InlineData("/elsewhere", false)]
    public async Task ARedirectOutOfTheResourceLosesTheCredential(string to, bool isCovered)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/mcp"] = http =>
        {
            http.Response.StatusCode = 307;
            http.Response.Headers.Location = to;
            return Task.CompletedTask;
        };
        rig.Server.Overrides[to] = NoteAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(OutgoingPolicy.Bearer("given"), rig.Server.Target);

        Assert.Equal(200, await AskAsync(proxy, "/mcp"));

        Assert.Equal([(to, isCovered ? "Bearer given" : "")], _seen);
    }

    /// <summary>A tenant on the same origin whose own authorization server is another.</summary>
    private void OfferTenant(SignInServer server, SignInServer tenant)
    {
        string place = "/.well-known/oauth-protected-resource/evil/mcp";
        server.Overrides["/evil/mcp"] = http => RefuseAsync(http, $"Bearer resource_metadata=\"{server.Origin}{place}\"");
        server.Overrides[place] = http =>
            http.Response.WriteAsJsonAsync(new { resource = $"{server.Origin}/evil/mcp", authorization_servers = new[] { tenant.Origin } });
    }

    private Task NoteAsync(HttpContext http)
    {
        _seen.Enqueue((http.Request.Path, http.Request.Headers.Authorization.ToString()));
        return Task.CompletedTask;
    }

    private Task RefuseAsync(HttpContext http, string challenge)
    {
        http.Response.StatusCode = 401;
        if (challenge.Length > 0)
        {
            http.Response.Headers.WWWAuthenticate = challenge;
        }

        return NoteAsync(http);
    }

    private static Task AnnounceAsync(HttpContext http, string endpoint)
    {
        http.Response.ContentType = "text/event-stream";
        return http.Response.WriteAsync($"event: endpoint\ndata: {endpoint}\n\n");
    }

    private async Task<int> AskAsync(ForwardingProxy proxy, string path)
    {
        using HttpResponseMessage response = await _client.PostAsync(new Uri(proxy.Address, path), new StringContent("{}"));
        return (int)response.StatusCode;
    }
}
