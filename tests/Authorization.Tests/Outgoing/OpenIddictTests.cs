using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class OpenIddictTests
{
    private static readonly ClientAuthentication Secret = ClientAuthentication.Secret(OpenIddictUpstream.ClientSecret);

    private static readonly OAuthPolicy Policy =
        Rig.Policy with { Grant = Rig.WithBrowser with { Client = new KnownClient(OpenIddictUpstream.ClientId, Secret) } };

    [Fact]
    public async Task APersonSignsInAndTheTokenPasses()
    {
        await using OpenIddictUpstream upstream = await OpenIddictUpstream.StartAsync();
        using var browser = new Browser();

        Assert.Equal("200 offline_access tools", await AskAsync(upstream, Policy, browser, upstream.Target));
        Assert.Equal(["authorization_code"], upstream.GrantTypes);
    }

    [Fact]
    public async Task TheIdTokenOfAnOpenIdSignInIsChecked()
    {
        await using OpenIddictUpstream upstream = await OpenIddictUpstream.StartAsync();
        using var browser = new Browser();

        Assert.Equal("200 openid", await AskAsync(upstream, Policy with { Server = OAuthServer.FromIssuer(upstream.Issuer), Scopes = ["openid"] }, browser, upstream.Target));
    }

    [Fact]
    public async Task AMachineSignsInAsItself()
    {
        await using OpenIddictUpstream upstream = await OpenIddictUpstream.StartAsync();
        using var browser = new Browser();

        OAuthPolicy machine = Policy with { Grant = new OAuthGrant.ClientCredentials(OpenIddictUpstream.ClientId, Secret) };

        Assert.Equal("200 tools", await AskAsync(upstream, machine, browser, upstream.Target));
    }

    [Fact]
    public async Task ARenewedTokenPasses()
    {
        await using OpenIddictUpstream upstream = await OpenIddictUpstream.StartAsync();
        using var browser = new Browser();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        UpstreamCredentials source = UpstreamCredentials.For(Policy, upstream.Target, clock, browser);
        await using ForwardingProxy proxy = await ForwardingProxy.StartAsync(upstream.Target, source, browser);
        clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal("200 offline_access tools", await AskAsync(proxy));
        Assert.Equal(["authorization_code", "refresh_token"], upstream.GrantTypes);
    }

    [Fact]
    public async Task AWrongSecretStopsTheStartWithTheServersWord()
    {
        await using OpenIddictUpstream upstream = await OpenIddictUpstream.StartAsync();
        using var browser = new Browser();
        var wrong = new KnownClient(OpenIddictUpstream.ClientId, ClientAuthentication.Secret("wrong"));

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => AskAsync(upstream, Policy with { Grant = Rig.WithBrowser with { Client = wrong } }, browser, upstream.Target));

        Assert.Contains("invalid_client", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(OpenIddictUpstream upstream, OutgoingPolicy policy, Browser browser, Uri target)
    {
        UpstreamCredentials source = UpstreamCredentials.For(policy, target, new FakeTimeProvider(DateTimeOffset.UtcNow), browser);
        await using ForwardingProxy proxy = await ForwardingProxy.StartAsync(upstream.Target, source, browser);
        return await AskAsync(proxy);
    }

    private static async Task<string> AskAsync(ForwardingProxy proxy)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.PostAsync(new Uri(proxy.Address, "/mcp"), new StringContent("{}"));
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
    }
}
