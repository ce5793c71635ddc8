using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>What is stored for one identity is never used for another, and a token never without the key that it is bound to.</summary>
public sealed class IdentityTests : IDisposable
{
    private static readonly Uri s_target = new("https://mcp.example/mcp");

    private static readonly OAuthGrant.IdentityAssertion s_assertion = new()
    {
        Client = new KnownClient("c"),
        IdpTokenUrl = new Uri("https://idp.example/token"),
        IdpClientId = "i",
        IdTokenFile = "file",
    };

    private readonly TemporaryFolder _folder = new();

    /// <summary>Pairs that differ in one thing, which makes another identity of it.</summary>
    public static TheoryData<OAuthPolicy, OAuthPolicy> Others => new()
    {
        {
            With(new OAuthGrant.AuthorizationCode { ScopeParameter = "user_scope" }),
            With(new OAuthGrant.AuthorizationCode())
        },
        {
            With(new OAuthGrant.AuthorizationCode()) with { Server = Endpoints("https://login.example/a/authorize") },
            With(new OAuthGrant.AuthorizationCode()) with { Server = Endpoints("https://login.example/b/authorize") }
        },
        { With(new OAuthGrant.JwtBearer("alice")), With(new OAuthGrant.JwtBearer("bob")) },
        { With(s_assertion), With(s_assertion with { IdpTokenUrl = new Uri("https://other.example/token") }) },
        { With(s_assertion), With(s_assertion with { IdpClientId = "j" }) },
        { With(s_assertion), With(s_assertion with { IdTokenFile = "bob" }) },
        {
            With(new OAuthGrant.AuthorizationCode { Client = new KnownClient("c\nhttps://r.example") }),
            With(new OAuthGrant.AuthorizationCode { Client = new KnownClient("c") }) with { Resource = "https://r.example\n".Trim() }
        },
    };

    private string Store => _folder.File("store");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Others), DisableDiscoveryEnumeration = true)]
    public void AnotherIdentityHasAnotherEntry(OAuthPolicy one, OAuthPolicy other) =>
        Assert.NotEqual(CredentialStore.KeyFor(one, s_target), CredentialStore.KeyFor(other, s_target));

    [Fact]
    public void ATargetWithAnotherQueryHasAnotherEntry()
    {
        string[] keys = [.. new[] { "", "?tenant=a", "?tenant=b" }.Select(query => CredentialStore.KeyFor(OutgoingPolicy.OAuth(), new Uri(s_target + query)))];

        Assert.Equal(3, keys.Distinct().Count());
    }

    [Fact]
    public async Task AWorkloadActsAsItselfEvenWhereAnotherHadTheSameFile()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { Grant = new OAuthGrant.JwtBearer(_folder.Write("assertion", "alice")), Store = new CredentialStoreFile(Store) };
        await rig.AskAsync(await rig.ProxyAsync(policy));
        await rig.DisposeProxiesAsync();
        _folder.Write("assertion", "bob");

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(policy))).Status);

        Assert.Equal(["alice", "bob"], rig.Server.TokenRequests.Select(request => request["assertion"]));
        Assert.False(File.Exists(Store));
    }

    [Fact]
    public async Task LoginSaysThatTheTokenOfAWorkloadIsNotKept()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { Grant = new OAuthGrant.JwtBearer(_folder.Write("assertion", "alice")), Store = new CredentialStoreFile(Store) };

        Assert.NotNull(await StoredCredentials.LoginAsync(policy, rig.Server.Target, rig.Browser));

        Assert.Contains(rig.Browser.Lines, line => line.Contains("The token was not stored: with the grants jwt-bearer and id-jag", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALoginBesideAProxyGivesItTheTokenTogetherWithItsKey()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { DPoP = true, Store = new CredentialStoreFile(Store) };
        var keys = new Dictionary<string, string>(); // of each token
        string? presented = null;
        rig.Server.EditTokens = tokens => tokens["token_type"] = "DPoP";
        rig.Server.Overrides["/token"] = async http =>
        {
            string key = KeyOf(http);
            rig.Server.EditTokens = tokens =>
            {
                tokens["token_type"] = "DPoP";
                keys[(string)tokens["access_token"]!] = key;
            };
            await rig.Server.AnswerProperlyAsync(http);
        };
        rig.Server.Overrides["/mcp"] = async http =>
        {
            if (http.Request.Headers.Authorization.ToString() is { Length: > 0 } value)
            {
                presented = value.Split(' ')[^1];
                Assert.Equal(keys[presented], KeyOf(http));
            }

            await rig.Server.AnswerProperlyAsync(http);
        };
        ForwardingProxy proxy = await rig.ProxyAsync(policy, rig.Server.Target);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        string? first = presented;

        Assert.True(await StoredCredentials.LogoutAsync(policy, rig.Server.Target, NullLogger.Instance));
        await StoredCredentials.LoginAsync(policy, rig.Server.Target, rig.Browser);
        rig.Server.RevokeAll();
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.NotEqual(first, presented);
        Assert.Equal(2, keys.Values.Distinct().Count());
        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Fact]
    public async Task TwoResourcesOfABareOriginNeverGetEachOthersToken()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { Store = new CredentialStoreFile(Store) };
        rig.Server.Overrides["/.well-known/oauth-protected-resource/other"] = http => http.Response.WriteAsJsonAsync(
            new { resource = $"{rig.Server.Origin}/other", authorization_servers = new[] { rig.Server.Origin } });
        UpstreamCredentials[] sources =
        [
            UpstreamCredentials.For(policy, new Uri(rig.Server.Origin), rig.Clock, rig.Browser),
            UpstreamCredentials.For(policy, new Uri(rig.Server.Origin), rig.Clock, rig.Browser),
        ];
        UpstreamRequest[] requests = [new("POST", rig.Server.Target), new("POST", new Uri($"{rig.Server.Origin}/other"))];
        await Task.WhenAll(sources.Select(source => source.StartAsync(CancellationToken.None)));
        var lines = new HashSet<CredentialLine?>[] { [], [] };

        // Both resources ask before there is anything in the store.
        rig.Browser.IsAttended = false;
        Task<CredentialResult> first = AskAsync(0);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        Uri link = rig.Browser.LastUrl!;
        Task<CredentialResult> second = AskAsync(1);
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("This process waits and uses the same result", StringComparison.Ordinal)));
        rig.Browser.IsAttended = true;
        using var http = new HttpClient();
        await http.GetAsync(link);
        lines[0].Add((await first).Line);
        lines[1].Add((await second).Line);
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < sources.Length; i++)
            {
                lines[i].Add((await AskAsync(i)).Line);
                rig.Clock.Advance(StoreWatch.Period);
                lines[i].Add(sources[i].Current);
            }
        }

        // Each went on with a grant of its own: what was issued for one resource was never renewed, or sent, for the other.
        Assert.Empty(lines[0].Select(TextOf).Intersect(lines[1].Select(TextOf)));
        Assert.Equal([rig.Server.Target.OriginalString, $"{rig.Server.Origin}/other"], rig.Server.Authorizations.Select(authorize => authorize["resource"]));
        Assert.Equal(0, rig.Server.Reuses);
        await Task.WhenAll(sources.Select(source => source.DisposeAsync().AsTask()));

        Task<CredentialResult> AskAsync(int i)
        {
            string challenge = $"Bearer resource_metadata=\"{rig.Server.Origin}/.well-known/oauth-protected-resource{requests[i].Url.AbsolutePath}\"";
            var asked = new UpstreamChallenge(requests[i], 401, [challenge], DPoPNonce: null, sources[i].Current, Attempt: 0);
            return sources[i].RecoverAsync(asked, CancellationToken.None).AsTask();
        }
    }

    private static string TextOf(CredentialLine? line) => System.Text.Encoding.ASCII.GetString(line!.Bytes.Span);

    private static string KeyOf(HttpContext http) => new JsonWebToken(http.Request.Headers["DPoP"].ToString()).GetHeaderValue<string>("jwk");

    private static OAuthPolicy With(OAuthGrant grant) => new() { Grant = grant };

    private static OAuthServer Endpoints(string authorize) => OAuthServer.FromEndpoints(new Uri("https://login.example/token"), new Uri(authorize));
}
