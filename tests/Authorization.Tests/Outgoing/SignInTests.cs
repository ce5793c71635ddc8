using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class SignInTests
{
    [Fact]
    public async Task TheFirst401OfABareOriginSignsInAndTheRequestIsReplayed()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal((200, "ok"), await rig.AskAsync(proxy));

        IReadOnlyDictionary<string, string> authorize = Assert.Single(rig.Server.Authorizations);
        IReadOnlyDictionary<string, string> token = Assert.Single(rig.Server.TokenRequests);
        Assert.Equal("S256", authorize["code_challenge_method"]);
        Assert.Equal(rig.Server.Target.OriginalString, authorize["resource"]);
        Assert.Equal(rig.Server.Target.OriginalString, token["resource"]);
        Assert.DoesNotContain("scope", authorize.Keys);
    }

    [Fact]
    public async Task ATargetWithAPathSignsInAtStart()
    {
        await using Rig rig = await Rig.StartAsync();

        await rig.ProxyAsync(target: rig.Server.Target);

        Assert.NotNull(rig.Source.Current);
    }

    [Fact]
    public async Task ManyRequestsThatWaitShareOneSignIn()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => rig.AskAsync(proxy)));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ABareOriginsResourceIsSentWithoutASlash()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["resource"] = rig.Server.Origin;
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(rig.Server.Origin, rig.Server.Authorizations.Single()["resource"]);
    }

    [Fact]
    public async Task AStepUpAsksForTheUnionOfScopesAndReplays()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Challenge = ", scope=\"read\"";
        rig.Server.RequiredScope = "write";
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(["read", "read write"], rig.Server.Authorizations.Select(authorize => authorize["scope"]));
    }

    [Fact]
    public async Task AScopeThatDoesNotHelpIsAskedForOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.RequiredScope = "never granted";
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(403, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(403, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Fact]
    public async Task TheUpstreamsChallengesAndDocumentsAreNotShown()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.RequiredScope = "never granted";
        ForwardingProxy proxy = await rig.ProxyAsync();
        using var http = new HttpClient();

        using HttpResponseMessage forbidden = await rig.SendAsync(proxy);
        rig.Server.RequiredScope = null;
        rig.Server.EditTokens = tokens => tokens["access_token"] = "not-known-here";
        rig.Server.RevokeAll();
        using HttpResponseMessage unauthorized = await rig.SendAsync(proxy);
        using HttpResponseMessage document = await http.GetAsync(new Uri(proxy.Address, "/.well-known/oauth-protected-resource/mcp"));

        Assert.Equal((403, 503, 404), ((int)forbidden.StatusCode, (int)unauthorized.StatusCode, (int)document.StatusCode));
        Assert.NotNull(unauthorized.Headers.RetryAfter);
        Assert.Empty(forbidden.Headers.WwwAuthenticate.Concat(unauthorized.Headers.WwwAuthenticate));
        Assert.StartsWith("""{"jsonrpc":"2.0","id":"a-7","error":""", await unauthorized.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARequestIsReplayedThreeTimesAtMost()
    {
        await using Rig rig = await Rig.StartAsync();
        int requests = 0;
        rig.Server.Overrides["/mcp"] = http =>
        {
            http.Response.StatusCode = 403;
            http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"scope-{++requests}\"";
            return Task.CompletedTask;
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(403, (await rig.AskAsync(proxy)).Status);

        Assert.Equal((4, 3), (requests, rig.Server.Authorizations.Count));
    }

    [Fact]
    public async Task AClientThatTheServerRefusesInTheBrowserIsRegisteredAgainOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditCallback = back =>
        {
            if (rig.Server.Registrations.Count == 1)
            {
                back.Remove("code");
                back["error"] = "unauthorized_client";
            }
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(2, rig.Server.Registrations.Count);
    }

    [Fact]
    public async Task ARegistrationThatIsTooNarrowForAStepUpIsMadeAgain()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Challenge = ", scope=\"read\"";
        rig.Server.RequiredScope = "write";
        int port = FreePort.Next();
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { CallbackPort = port } });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(["read", "read write"], rig.Server.Registrations.Select(registration => (string?)JsonNode.Parse(registration)!["scope"]));
    }

    [Fact]
    public async Task ARevokedTokenIsRenewedAndTheRequestReplayed()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Server.RevokeAll();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal("refresh_token", rig.Server.TokenRequests.Last()["grant_type"]);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AFreshTokenThatIsRefusedDoesNotAskThePersonAgain()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens["access_token"] = "not-known-here";
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains("refuses a token that", body, StringComparison.Ordinal);
        Assert.Contains("If the token's audience is wrong, set OAuthPolicy.Resource; if it lacks scopes, set OAuthPolicy.Scopes", body, StringComparison.Ordinal);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AForgottenRegistrationIsMadeAgainOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        rig.Server.Overrides["/token"] = async http =>
        {
            rig.Server.Overrides.Clear();
            http.Response.StatusCode = 401;
            await http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_client" });
        };

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(2, rig.Server.Registrations.Count);
    }

    [Fact]
    public async Task OfflineAccessIsAskedForWhereTheServerListsIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["scopes_supported"] = new JsonArray("offline_access");
        ForwardingProxy proxy = await rig.ProxyAsync();

        await rig.AskAsync(proxy);

        Assert.Equal("offline_access", rig.Server.Authorizations.Single()["scope"]);
    }

    [Fact]
    public async Task ASignInThatNobodyCompletesEndsIn503AndCanBeTakenUpLater()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        ForwardingProxy proxy = await rig.ProxyAsync();

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        await rig.Clock.AwaitedAsync(OAuthCredentials.MaxWait);
        rig.Clock.Advance(OAuthCredentials.MaxWait);
        (int status, string body) = await asked;

        Assert.Equal(503, status);
        Assert.Contains("waits until a person signs in", body, StringComparison.Ordinal);

        using var http = new HttpClient();
        await http.GetAsync(rig.Browser.LastUrl);
        await Patience.UntilAsync(() => rig.Source.Current is not null);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public async Task AChangedAuthorizationServerIsRegisteredWithAnew()
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer other = await SignInServer.StartAsync(rig.Clock);
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);

        rig.Server.EditResource = resource => resource["authorization_servers"] = new JsonArray(other.Origin);
        rig.Server.RevokeAll();
        await rig.AskAsync(proxy);

        Assert.Single(other.Registrations);
        Assert.Single(other.TokenRequests);
    }

    [Fact]
    public async Task ASignInThatTakesTooLongSaysHowToStartAnother()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { SignInTimeout = TimeSpan.FromSeconds(40) });

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        rig.Clock.Advance(TimeSpan.FromSeconds(40));
        (int status, string body) = await asked;

        Assert.Equal(503, status);
        Assert.Contains("Nobody completed the sign-in within 00:00:40. The next request, or `mcpproxyfast login`", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheRegistrationSaysWhatKindOfClientThisIs()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();

        await rig.AskAsync(proxy);

        JsonNode registration = JsonNode.Parse(rig.Server.Registrations.Single())!;
        Assert.Equal(("native", "none"), ((string?)registration["application_type"], (string?)registration["token_endpoint_auth_method"]));
        Assert.Equal(["authorization_code", "refresh_token"], registration["grant_types"]!.AsArray().Select(type => (string?)type));
        Assert.Equal(rig.Server.Authorizations.Single()["redirect_uri"], (string?)registration["redirect_uris"]![0]);
        Assert.Null(registration["scope"]);
    }

    [Fact]
    public async Task ARegistrationWithWhichNobodyCameBackIsMadeAnew()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { CallbackPort = FreePort.Next() } });
        await rig.AskAsync(proxy);
        Uri? first = rig.Browser.LastUrl;
        rig.Browser.IsAttended = false;
        rig.Server.LoseGrants();
        rig.Clock.Advance(TimeSpan.FromHours(2));
        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl != first);
        Uri abandoned = rig.Browser.LastUrl!;
        await rig.Clock.AwaitedAsync(OAuthCredentials.MaxWait);
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(503, (await asked).Status);

        rig.Browser.IsAttended = true;
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("Nobody completed", StringComparison.Ordinal)));
        rig.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Contains("client_id=client-1&", abandoned.Query, StringComparison.Ordinal);
        Assert.Equal(["client-1", "client-2"], rig.Server.Authorizations.Select(authorize => authorize["client_id"]));
    }

    [Fact]
    public async Task AReadyLineIsReadWithoutAllocating()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync());
        _ = rig.Source.Current;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            _ = rig.Source.Current;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
