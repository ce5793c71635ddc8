using System.Net;
using System.Security.Cryptography;
using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>Whose token is exchanged, in which form, and what the upstream sees of it.</summary>
public sealed class ExchangeFlowTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ExchangeRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task UpstreamSeesTheNewTokenAloneAndTheServerTheCallers()
    {
        Uri proxy = await _rig.ProxyAsync();

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal("alice", request["subject_token"]);
        Assert.Equal("urn:ietf:params:oauth:grant-type:token-exchange", request["grant_type"]);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", request["subject_token_type"]);
        Assert.Equal(3, request.Form.Count);
        Assert.Equal("", request.Authorization);
    }

    [Fact]
    public async Task RequestCarriesWhatIsAskedForInItsOrder()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with
        {
            Variant = new TokenExchangeVariant.Rfc8693
            {
                Audiences = ["b", "a"],
                Resources = ["https://r.example/2", "https://r.example/1"],
                Scopes = ["read", "write"],
                SubjectTokenType = ExchangedTokenType.Jwt,
                RequestedTokenType = ExchangedTokenType.AccessToken,
                GrantType = "urn:example:grant",
            },
            Client = TokenExchangeClient.Basic("the id", "s:cret"),
            Parameters = [new("options", "{\"userProject\":\"p\"}"), new("connection", "c")],
        });

        Assert.StartsWith("200", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal(["b", "a"], request.Form["audience"]);
        Assert.Equal(["https://r.example/2", "https://r.example/1"], request.Form["resource"]);
        Assert.Equal("read write", request["scope"]);
        Assert.Equal("urn:ietf:params:oauth:token-type:jwt", request["subject_token_type"]);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", request["requested_token_type"]);
        Assert.Equal("urn:example:grant", request["grant_type"]);
        Assert.Equal(("{\"userProject\":\"p\"}", "c"), (request["options"], request["connection"]));
        Assert.Equal("the+id:s%3Acret", Encoding.UTF8.GetString(Convert.FromBase64String(request.Authorization["Basic ".Length..])).Replace("%20", "+", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EntrasFormHasAnAssertionAndAScopeAndNoRecipient()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with
        {
            Variant = new TokenExchangeVariant.EntraOnBehalfOf { Scopes = ["api://x/.default"] },
            Client = TokenExchangeClient.Post("id", "secret"),
        });
        _rig.EditAnswer = answer => answer.Remove("issued_token_type"); // Entra sends none

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", request["grant_type"]);
        Assert.Equal(("alice", "on_behalf_of", "api://x/.default"), (request["assertion"], request["requested_token_use"], request["scope"]));
        Assert.Equal(("id", "secret", ""), (request["client_id"], request["client_secret"], request.Authorization));
        Assert.DoesNotContain(request.Form.Keys, name => name is "audience" or "resource" or "subject_token" or "subject_token_type");
    }

    [Fact]
    public async Task JwtBearerShowsTheTokenAsAnAssertion()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Variant = new TokenExchangeVariant.JwtBearer { Audiences = ["a"] }, Client = TokenExchangeClient.Public("id") });

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal(("alice", "a", "id", ""), (request["assertion"], request["audience"], request["client_id"], request.Authorization));
        Assert.DoesNotContain("requested_token_use", request.Form.Keys);
    }

    [Fact]
    public async Task ClientWithAKeySignsAnAssertionForTheEndpoint()
    {
        string key = _folder.Write("key", ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportPkcs8PrivateKeyPem());
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Client = TokenExchangeClient.Key("id", key) });

        Assert.StartsWith("200", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", request["client_assertion_type"]);
        string claims = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(request["client_assertion"].Split('.')[1]));
        Assert.Contains($"\"aud\":\"{_rig.Origin}/token\"", claims, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FieldOfAnotherNameCarriesTheTokenAndTheOriginalDoesNotTravelOn()
    {
        Uri proxy = _rig.Serve(new McpProxyOptions { Target = _rig.Target, Outgoing = _rig.Policy with { FieldName = "X-Upstream-Token" } });

        using HttpResponseMessage response = await _rig.SendAsync(
            proxy, "Bearer alice", default, ("x-upstream-token", "Bearer forged"), ("X_Upstream_Token", "Bearer forged"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        IReadOnlyDictionary<string, string> received = Assert.Single(_rig.Received);
        Assert.Equal("Bearer 1-for-alice", received["x-upstream-token"]);
        Assert.DoesNotContain("authorization", received.Keys);
        Assert.DoesNotContain(received.Values, value => value.Contains("forged", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x-upstream-token")]
    [InlineData("X_Upstream_Token")]
    public async Task AddedFieldThatTakesThePlaceOfTheNewTokenIsSaid(string name)
    {
        Uri proxy = _rig.Serve(new McpProxyOptions
        {
            Target = _rig.Target,
            Outgoing = _rig.Policy with { FieldName = "X-Upstream-Token" },
            AddedFields = [AddedField.Of(name, "one-for-all")],
        });

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        IReadOnlyDictionary<string, string> received = Assert.Single(_rig.Received);
        Assert.Equal("one-for-all", received[name.ToLowerInvariant()]);
        Assert.DoesNotContain(received.Values, value => value.Contains("alice", StringComparison.Ordinal));
        Assert.Contains(_rig.Log.Lines, line => line.Contains("has X-Upstream-Token, the header field for exchanged tokens", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Basic YWxpY2U6c2VjcmV0", 401)]
    [InlineData("Bearer", 401)]
    [InlineData("Bearer two words", 401)]
    public async Task RequestWithoutATokenIsAnsweredWithAChallengeAndNotForwarded(string? authorization, int status)
    {
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, authorization);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Empty(_rig.Exchanges);
        Assert.Empty(_rig.Received);
    }

    [Fact]
    public async Task RequestWithoutATokenIsNotServedWithWhatACallerBeforeItGot()
    {
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");

        using HttpResponseMessage response = await _rig.SendAsync(proxy, authorization: null);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Single(_rig.Received);
    }

    [Fact]
    public async Task TokenOfALoginIsExchangedOnceForAllAndTheCallersGoesNowhere()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(OutgoingPolicy.Bearer("login")) });

        Assert.Equal("200 Bearer 1-for-login", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal("200 Bearer 1-for-login", await _rig.AskAsync(proxy, "bob"));

        Assert.Equal("login", Assert.Single(_rig.Exchanges)["subject_token"]);
    }

    [Fact]
    public async Task LoginsTokenActsForTheCaller()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with
        {
            Variant = new TokenExchangeVariant.Rfc8693 { Actor = TokenExchangeActor.Of(OutgoingPolicy.Bearer("login")) with { TokenType = ExchangedTokenType.Jwt } },
        });

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));

        ExchangeRequest request = Assert.Single(_rig.Exchanges);
        Assert.Equal(("alice", "login"), (request["subject_token"], request["actor_token"]));
        Assert.Equal("urn:ietf:params:oauth:token-type:jwt", request["actor_token_type"]);
    }

    [Fact]
    public async Task ActorsFileIsReadAgainWhenItChanges()
    {
        string file = _folder.Write("actor", "first");
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Variant = new TokenExchangeVariant.Rfc8693 { Actor = TokenExchangeActor.File(file) } });
        await _rig.AskAsync(proxy, "alice");
        _folder.Write("actor", "second");
        await _rig.AskUntilAsync(proxy, "alice", answer =>
        {
            _rig.Clock.Pass(TimeSpan.FromSeconds(5));
            return answer is "200 Bearer 2-for-alice";
        });

        Assert.Equal(["first", "second"], _rig.Exchanges.Select(request => request["actor_token"]));
    }

    [Fact]
    public async Task TokenThatTheUpstreamRefusesIsExchangedForAnotherOnceAndTheRequestSentAgain()
    {
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        _rig.Upstream = http =>
        {
            string token = http.Request.Headers.Authorization.ToString();
            http.Response.StatusCode = token.StartsWith("Bearer 1-", StringComparison.Ordinal) ? 401 : 200;
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            return http.Response.WriteAsync(token);
        };

        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal(2, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task UpstreamThatRefusesEveryTokenCausesNoFloodOfExchanges()
    {
        Uri proxy = await _rig.ProxyAsync();
        _rig.Upstream = http =>
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            return Task.CompletedTask;
        };

        for (int i = 0; i < 3; i++)
        {
            Assert.StartsWith("503", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        }

        Assert.Single(_rig.Exchanges);
    }
}
