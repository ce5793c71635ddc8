using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>What clients see of a protected proxy, over real sockets.</summary>
public sealed class ProtectedProxyTests : IAsyncLifetime
{
    private static readonly HttpClient Client = new();
    private ProviderServer _provider = null!;
    private TokenForge _forge = null!;
    private TestKey _key = null!;

    private JwtPolicy Policy => TokenPolicy.Oidc(_provider.Url, TokenForge.Audience);

    public async Task InitializeAsync()
    {
        _provider = await ProviderServer.StartAsync();
        _forge = new TokenForge(_provider.Url, TimeProvider.System);
        _key = TestKey.Curve("key-1", "P-256");
        _provider.Publish(_key);
    }

    public async Task DisposeAsync() => await _provider.DisposeAsync();

    [Fact]
    public async Task RequestWithoutTokenIsChallengedWithoutAnErrorCode()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        using HttpResponseMessage response = await Client.GetAsync(new Uri($"{server.Url}/echo"));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        AuthenticationHeaderValue challenge = Assert.Single(response.Headers.WwwAuthenticate);
        Assert.Equal("Bearer", challenge.Scheme);
        Assert.Equal($"resource_metadata=\"{server.Url}/.well-known/oauth-protected-resource/echo\", scope=\"openid\"", challenge.Parameter);
        Assert.Empty(server.Authorizations);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    public async Task GoodTokenPassesAndStaysHere(string scheme)
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage response = await SendAsync($"{server.Url}/echo", $"{scheme} {_forge.Make(_key)}");
            Assert.Equal("echo", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(["", "", ""], server.Authorizations);
    }

    [Fact]
    public async Task TokenGoesOnWhereTheOperatorWantsIt()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy with { PassAuthorization = true });
        string authorization = $"Bearer {_forge.Make(_key)}";

        using HttpResponseMessage response = await SendAsync($"{server.Url}/echo", authorization);

        Assert.Equal([authorization], server.Authorizations);
    }

    [Fact]
    public async Task BadTokenIsToldNothingOfTheReason()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);
        string expired = _forge.Make(_key, payload: payload => payload["exp"] = _forge.Seconds(TimeSpan.FromHours(-1)));

        using HttpResponseMessage response = await SendAsync($"{server.Url}/echo", $"Bearer {expired}");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.StartsWith("error=\"invalid_token\", error_description=\"The access token is not valid\"", Assert.Single(response.Headers.WwwAuthenticate).Parameter, StringComparison.Ordinal);
        Assert.DoesNotContain("expired", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingScopeIsForbidden()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy with { RequiredScopes = ["admin"] });

        using HttpResponseMessage response = await SendAsync($"{server.Url}/echo", $"Bearer {_forge.Make(_key)}");

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("error=\"insufficient_scope\"", Assert.Single(response.Headers.WwwAuthenticate).Parameter, StringComparison.Ordinal);
        Assert.Contains("scope=\"admin\"", Assert.Single(response.Headers.WwwAuthenticate).Parameter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OutageOfTheProviderIsNoRefusal()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);
        await _provider.StopAsync();

        using HttpResponseMessage response = await SendAsync($"{server.Url}/echo", $"Bearer {_forge.Make(TestKey.Curve("fresh", "P-256"))}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), response.Headers.RetryAfter?.Delta);
        Assert.Empty(response.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task TokenInTheQueryIsNoToken()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        using HttpResponseMessage response = await Client.GetAsync(new Uri($"{server.Url}/echo?access_token={_forge.Make(_key)}"));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task TwoAuthorizationFieldsAreRefused()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{server.Url}/echo");
        string good = $"Bearer {_forge.Make(_key)}";
        request.Headers.TryAddWithoutValidation("Authorization", good);
        request.Headers.TryAddWithoutValidation("authorization", "Bearer other");

        using HttpResponseMessage response = await Client.SendAsync(request);

        Assert.InRange((int)response.StatusCode, 400, 401);
        Assert.Empty(server.Authorizations);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("/mcp", "/mcp")]
    [InlineData("/a/b", "/a/b")]
    public async Task MetadataIsTheresForEverybody(string inserted, string path)
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        using HttpResponseMessage response = await Client.GetAsync(new Uri($"{server.Url}/.well-known/oauth-protected-resource{inserted}"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("*", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal($"{server.Url}{path}", document.RootElement.GetProperty("resource").GetString());
        Assert.Equal(_provider.Url, document.RootElement.GetProperty("authorization_servers")[0].GetString());
    }

    [Fact]
    public async Task PathThatOnlyBeginsLikeTheWellKnownOneIsProtected()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        using HttpResponseMessage response = await Client.GetAsync(new Uri($"{server.Url}/.well-known/oauth-protected-resource-other"));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task HealthNeedsNoToken()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy);

        using HttpResponseMessage response = await Client.GetAsync(new Uri($"{server.Url}/health"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task ForeignOriginIsRefusedBeforeItsTokenIsLookedAt()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(Policy with { JwksUri = new Uri($"{_provider.Url}/other-keys") });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{server.Url}/echo");
        request.Headers.Add("Origin", "https://evil.example");
        request.Headers.Add("Authorization", $"Bearer {_forge.Make(_key)}");

        using HttpResponseMessage response = await Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Empty(response.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task HostsOwnValidatorDecides()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(TokenPolicy.Custom(new Password()));

        using HttpResponseMessage good = await SendAsync($"{server.Url}/echo", "Bearer open-sesame");
        using HttpResponseMessage bad = await SendAsync($"{server.Url}/echo", "Bearer open-barley");

        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, bad.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(string url, string authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await Client.SendAsync(request);
    }

    private sealed class Password : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(token == "open-sesame" ? TokenVerdict.Admit("ali-baba", DateTimeOffset.UtcNow.AddHours(1)) : TokenVerdict.Invalid("wrong-word"));
    }
}
