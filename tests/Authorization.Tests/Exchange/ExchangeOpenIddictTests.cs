using McpProxyFast.Authorization.Tests.Incoming;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>Two real servers: the caller comes with a token of the one, and the upstream sees only a token of the other.</summary>
[Collection(nameof(ManyCallersTests))]
public sealed class ExchangeOpenIddictTests : IAsyncLifetime
{
    private const string UpstreamAudience = "https://upstream.example";

    private AuthorizationServer _callers = null!;
    private ExchangingServer _upstreams = null!;
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync()
    {
        _callers = await AuthorizationServer.StartAsync();
        _upstreams = await ExchangingServer.StartAsync(_callers.Url);
        _rig = await ExchangeRig.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _upstreams.DisposeAsync();
        await _callers.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallerOfOneServerReachesTheUpstreamWithATokenOfTheOther(bool isProtected)
    {
        Uri proxy = Serve(Policy(), isProtected);
        string callers = await _callers.IssueAsync();

        string answer = await _rig.AskAsync(proxy, callers);

        Assert.StartsWith("200 Bearer ", answer, StringComparison.Ordinal);
        var token = new JsonWebToken(answer["200 Bearer ".Length..]);
        Assert.Equal((_upstreams.Issuer, AuthorizationServer.Machine), (token.Issuer, token.Subject));
        Assert.Equal([UpstreamAudience], token.Audiences);
        Assert.DoesNotContain(_rig.Received.SelectMany(fields => fields.Values), value => value.Contains(callers, StringComparison.Ordinal));
        Assert.Equal(answer, await _rig.AskAsync(proxy, callers));
    }

    [Fact]
    public async Task TokenThatTheServerDoesNotTakeIsRefusedToTheCaller()
    {
        Uri proxy = Serve(Policy(), isProtected: false);

        Assert.StartsWith("401", await _rig.AskAsync(proxy, "no.such.token"), StringComparison.Ordinal);
        Assert.Empty(_rig.Received);
    }

    [Fact]
    public async Task CallerWhoIsNotLetInIsExchangedForNothing()
    {
        Uri proxy = _rig.Serve(new McpProxyOptions
        {
            Target = _rig.Target,
            Incoming = TokenPolicy.Oidc(_callers.Issuer, TokenForge.Audience),
            Outgoing = _rig.Policy,
        });

        Assert.StartsWith("401", await _rig.AskAsync(proxy, "no.such.token"), StringComparison.Ordinal);
        Assert.Empty(_rig.Exchanges);
    }

    [Theory]
    [InlineData("https://other.example", "tools", "502")]
    [InlineData(UpstreamAudience, "unknown", "403")]
    public async Task RecipientOrScopeThatTheServerDoesNotKnowHasItsOwnAnswer(string audience, string scope, string status)
    {
        Uri proxy = Serve(Policy(audience, scope), isProtected: true);

        Assert.StartsWith(status, await _rig.AskAsync(proxy, await _callers.IssueAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongSecretIsTheOperatorsAffair()
    {
        Uri proxy = Serve(Policy() with { Client = TokenExchangeClient.Basic(ExchangingServer.ClientId, "wrong") }, isProtected: true);

        Assert.StartsWith("502", await _rig.AskAsync(proxy, await _callers.IssueAsync()), StringComparison.Ordinal);
        Assert.Contains(_rig.Log.Lines, line => line.Contains("invalid_client", StringComparison.Ordinal));
    }

    private TokenExchangePolicy Policy(string audience = UpstreamAudience, string scope = "tools") => new(_upstreams.TokenUrl)
    {
        Client = TokenExchangeClient.Basic(ExchangingServer.ClientId, ExchangingServer.ClientSecret),
        Variant = new TokenExchangeVariant.Rfc8693 { Audiences = [audience], Scopes = [scope] },
    };

    private Uri Serve(TokenExchangePolicy policy, bool isProtected) => _rig.Serve(new McpProxyOptions
    {
        Target = _rig.Target,
        Incoming = isProtected ? TokenPolicy.Oidc(_callers.Issuer, TokenForge.Audience) : null,
        Outgoing = policy,
    });
}
