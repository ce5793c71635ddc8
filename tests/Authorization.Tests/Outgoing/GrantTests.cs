using System.Security.Cryptography;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public sealed class GrantTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task DeviceCodePollsUntilThePersonHasAgreed()
    {
        await using Rig rig = await Rig.StartAsync();
        var answers = new Queue<string>(["authorization_pending", "slow_down"]);
        rig.Server.Overrides["/token"] = http =>
        {
            if (answers.Count == 1)
            {
                rig.Server.Overrides.Clear();
            }

            http.Response.StatusCode = 400;
            return http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = answers.Dequeue() });
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.DeviceCode() });

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await rig.Clock.PassPausesAsync(until: asked);

        Assert.Equal(200, (await asked).Status);
        Assert.Equal("urn:ietf:params:oauth:grant-type:device_code", rig.Server.TokenRequests.Single()["grant_type"]);
        Assert.Contains(rig.Browser.Lines, line => line.Contains("Enter the code ABCD-EFGH at this URL", StringComparison.Ordinal));
        Assert.Contains(rig.Browser.Lines, line => line.StartsWith($"{rig.Server.Origin}/activate", StringComparison.Ordinal)); // alone on its line
    }

    [Fact]
    public async Task ADeviceCodeThatIsDeniedSaysSo()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/token"] = http =>
        {
            http.Response.StatusCode = 400;
            return http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "access_denied" });
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.DeviceCode() });

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await rig.Clock.PassPausesAsync(until: asked);

        Assert.Equal(503, (await asked).Status);
        Assert.Contains("access_denied", (await asked).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADeviceCodeThatHasEndedIsAskedAboutNoMore()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/device"] = http => http.Response.WriteAsJsonAsync(new JsonObject
        {
            ["device_code"] = "d3vice",
            ["user_code"] = "ABCD-EFGH",
            ["verification_uri"] = $"{rig.Server.Origin}/activate",
            ["expires_in"] = 20,
            ["interval"] = 5,
        });
        int polls = 0;
        rig.Server.Overrides["/token"] = http =>
        {
            polls++;
            http.Response.StatusCode = 400;
            return http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "authorization_pending" });
        };
        OutgoingPolicy policy = Rig.Policy with { Grant = new OAuthGrant.DeviceCode(), SignInTimeout = TimeSpan.FromHours(1) };
        ForwardingProxy proxy = await rig.ProxyAsync(policy);

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await rig.Clock.PassPausesAsync(until: asked);

        Assert.Equal(503, (await asked).Status);
        Assert.Contains("The code expired", (await asked).Body, StringComparison.Ordinal);
        Assert.InRange(polls, 1, 4);
    }

    [Fact]
    public async Task ClientCredentialsAreRenewedWithoutARefreshToken()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens.Remove("refresh_token");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.ClientCredentials("machine", ClientAuthentication.Secret("s3cret")) });
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        await Patience.UntilAsync(() => rig.Server.TokenRequests.Count == 2);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.All(rig.Server.TokenRequests, request => Assert.Equal("client_credentials", request["grant_type"]));
        Assert.Empty(rig.Server.Registrations);
    }

    [Fact]
    public async Task TheSecretGoesInTheFormWhereTheServerWantsItThere()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.ClientCredentials("machine", ClientAuthentication.Secret("s3cret")) });

        await rig.AskAsync(proxy);

        Assert.Equal("s3cret", rig.Server.TokenRequests.Single()["client_secret"]);
    }

    [Fact]
    public async Task APrivateKeySignsAnAssertionForTheIssuer()
    {
        await using Rig rig = await Rig.StartAsync();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string file = _folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.ClientCredentials("machine", ClientAuthentication.KeyFile(file)) });

        await rig.AskAsync(proxy);

        string assertion = rig.Server.TokenRequests.Single()["client_assertion"];
        TokenValidationResult result = await new JsonWebTokenHandler().ValidateTokenAsync(assertion, new TokenValidationParameters
        {
            IssuerSigningKey = new ECDsaSecurityKey(key),
            ValidIssuer = "machine",
            ValidAudience = rig.Server.Origin,
        });
        Assert.True(result.IsValid);
        Assert.Equal("machine", result.Claims["sub"]);
    }

    [Fact]
    public async Task AWorkloadShowsItsAssertionAsItIsAtEachUse()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens.Remove("refresh_token");
        OutgoingPolicy policy = Rig.Policy with { Grant = new OAuthGrant.JwtBearer(_folder.Write("assertion", "first\n")) };
        ForwardingProxy proxy = await rig.ProxyAsync(policy);
        await rig.AskAsync(proxy);
        _folder.Write("assertion", "second\n");
        rig.Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(["first", "second"], rig.Server.TokenRequests.Select(request => request["assertion"]));
    }

    [Fact]
    public async Task AnEnterpriseAssertionIsExchangedAtTheProviderAndThenShown()
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer provider = await SignInServer.StartAsync(rig.Clock);
        provider.EditTokens = tokens =>
        {
            tokens["access_token"] = "id-jag";
            tokens["token_type"] = "N_A";
            tokens["issued_token_type"] = "urn:ietf:params:oauth:token-type:id-jag";
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with
        {
            Grant = new OAuthGrant.IdentityAssertion
            {
                Client = new KnownClient("resource-client"),
                IdpTokenUrl = new Uri($"{provider.Origin}/token"),
                IdpClientId = "idp-client",
                IdTokenFile = _folder.Write("id-token", "person"),
            },
        });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        IReadOnlyDictionary<string, string> exchange = provider.TokenRequests.Single();
        Assert.Equal((rig.Server.Origin, rig.Server.Target.OriginalString, "person"), (exchange["audience"], exchange["resource"], exchange["subject_token"]));
        Assert.Equal("id-jag", rig.Server.TokenRequests.Single()["assertion"]);
    }

    [Fact]
    public async Task EachRequestOfABoundTokenCarriesAProofOfItsOwn()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens["token_type"] = "DPoP";
        var proofs = new List<JsonWebToken>();
        bool nonceAsked = false;
        rig.Server.Overrides["/mcp"] = http =>
        {
            if (http.Request.Headers["DPoP"].ToString() is { Length: > 0 } proof)
            {
                proofs.Add(new JsonWebToken(proof));
                http.Response.StatusCode = nonceAsked ? 200 : 401;
                http.Response.Headers["DPoP-Nonce"] = "n1";
                http.Response.Headers.WWWAuthenticate = "DPoP error=\"use_dpop_nonce\"";
                nonceAsked = true;
                return Task.CompletedTask;
            }

            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = "DPoP";
            return Task.CompletedTask;
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { DPoP = true });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(3, proofs.Select(proof => proof.Id).Distinct().Count());
        Assert.All(proofs, proof => Assert.Equal(("POST", rig.Server.Target.OriginalString), (proof.GetClaim("htm").Value, proof.GetClaim("htu").Value)));
        Assert.Equal("n1", proofs[^1].GetClaim("nonce").Value);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AnUnboundTokenIsRefusedWhereABoundOneWasAskedFor()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { DPoP = true });

        Assert.Contains("an unbound one was given", (await rig.AskAsync(proxy)).Body, StringComparison.Ordinal);
    }
}
