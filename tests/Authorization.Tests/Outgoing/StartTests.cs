using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class StartTests
{
    [Fact]
    public async Task ATargetThatAnswersWithoutAskingGetsNoCredentialAndAWarning()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/mcp"] = http => http.Response.WriteAsync("ok");
        rig.Server.Overrides["/.well-known/oauth-protected-resource/mcp"] = NotFoundAsync;

        ForwardingProxy proxy = await rig.ProxyAsync(target: rig.Server.Target);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Empty(rig.Server.Authorizations);
        Assert.Contains(rig.Browser.Lines, line => line.Contains("without asking for a sign-in", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARequestDuringTheStartAtATargetThatAsksForNothingGoesOutWithoutACredential()
    {
        var probed = new TaskCompletionSource();
        var mayAnswer = new TaskCompletionSource();
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/.well-known/oauth-protected-resource/mcp"] = NotFoundAsync;
        rig.Server.Overrides["/mcp"] = async http =>
        {
            probed.TrySetResult();
            await mayAnswer.Task;
            await http.Response.WriteAsync("ok");
        };
        await using UpstreamCredentials source = UpstreamCredentials.For(Rig.Policy, rig.Server.Target, rig.Clock, rig.Browser);
        Task starting = source.StartAsync(CancellationToken.None);
        await probed.Task.Soon();

        Task<CredentialResult>[] waiting =
            [.. Enumerable.Range(0, 3).Select(_ => source.ObtainAsync(new UpstreamRequest("POST", rig.Server.Target), CancellationToken.None).AsTask())];
        mayAnswer.SetResult();
        await starting.Soon();

        Assert.All(await Task.WhenAll(waiting).Soon(), result => Assert.Equal(CredentialResult.PassThrough, result));
        Assert.Empty(rig.Server.Registrations);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ATargetThatAsksForNothingAtTheStartMayAskLater()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/mcp"] = http => http.Response.WriteAsync("ok");
        rig.Server.Overrides["/.well-known/oauth-protected-resource/mcp"] = NotFoundAsync;
        ForwardingProxy proxy = await rig.ProxyAsync(target: rig.Server.Target);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        rig.Server.Overrides.Clear();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
        Assert.NotNull(rig.Source.Current);
    }

    [Fact]
    public async Task AnInconclusiveProbeStopsTheStartAndSaysWhatWasTried()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/mcp"] = NotFoundAsync;

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => rig.ProxyAsync(target: rig.Server.Target));

        Assert.Contains($"Tried: POST {rig.Server.Target}: 404; POST {rig.Server.Target}: 404; GET {rig.Server.Target}: 404. Check the URL (McpProxyOptions.Target). If it is right, name the authorization server that issues its tokens (OAuthPolicy.Server).", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARealmThatIsAUrlIsTheLastResort()
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer other = await SignInServer.StartAsync(rig.Clock);
        rig.Server.Overrides["/.well-known/oauth-protected-resource/mcp"] = NotFoundAsync;
        rig.Server.Overrides["/mcp"] = http =>
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = $"bearer realm=\"{other.Origin}\"";
            return Task.CompletedTask;
        };

        await rig.ProxyAsync(target: rig.Server.Target);

        Assert.Single(other.Authorizations);
    }

    [Fact]
    public async Task TheProbeAsksAsAnMcpClientWould()
    {
        await using Rig rig = await Rig.StartAsync();
        string? accept = null;
        rig.Server.Overrides["/mcp"] = http =>
        {
            accept ??= http.Request.Headers.Accept;
            rig.Server.Overrides.Clear();
            http.Response.StatusCode = 401;
            return Task.CompletedTask;
        };

        await rig.ProxyAsync(target: rig.Server.Target);

        Assert.Equal("application/json, text/event-stream", accept);
        Assert.NotNull(rig.Source.Current);
    }

    [Fact]
    public async Task ARequestDuringTheSignInAtStartWaitsForIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        await using UpstreamCredentials source = UpstreamCredentials.For(Rig.Policy, rig.Server.Target, rig.Clock, rig.Browser);
        Task starting = source.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);

        Task<CredentialResult> waiting = source.ObtainAsync(new UpstreamRequest("POST", rig.Server.Target), CancellationToken.None).AsTask();
        using var http = new HttpClient();
        await http.GetAsync(rig.Browser.LastUrl);
        await starting;

        Assert.Same(source.Current, (await waiting).Line);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ManualEndpointsNeedNoMetadata()
    {
        await using Rig rig = await Rig.StartAsync();
        foreach (string path in new[] { "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server" })
        {
            rig.Server.Overrides[path] = NotFoundAsync;
        }

        rig.Server.EditCallback = back => back.Remove("iss");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with
        {
            Server = OAuthServer.FromEndpoints(new Uri($"{rig.Server.Origin}/token"), new Uri($"{rig.Server.Origin}/authorize")),
            Grant = Rig.WithBrowser with { Client = new KnownClient("registered"), ScopeParameter = "user_scope" },
            Scopes = ["a", "b"],
        });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        IReadOnlyDictionary<string, string> authorize = rig.Server.Authorizations.Single();
        Assert.Equal("a b", authorize["user_scope"]);
        Assert.DoesNotContain("scope", authorize.Keys);
        Assert.DoesNotContain("resource", authorize.Keys);
    }

    [Fact]
    public async Task AClientMetadataDocumentIsUsedWhereTheServerSupportsIt()
    {
        const string document = "https://client.example/metadata.json";
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["client_id_metadata_document_supported"] = true;
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { Client = OAuthClient.Described(document) } });

        await rig.AskAsync(proxy);

        Assert.Equal(document, rig.Server.Authorizations.Single()["client_id"]);
        Assert.Empty(rig.Server.Registrations);
    }

    private static Task NotFoundAsync(HttpContext http)
    {
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
