using System.Text;
using McpProxyFast.Admission;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>Real tokens of a real authorization server, over real sockets.</summary>
public sealed class OpenIddictTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private AuthorizationServer _server = null!;

    private JwtPolicy Oidc => TokenPolicy.Oidc(_server.Issuer, TokenForge.Audience);

    private IntrospectionPolicy Introspection => IntrospectionWith(AuthorizationServer.Secret);

    public async Task InitializeAsync() => _server = await AuthorizationServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task IssuedTokenIsAdmitted()
    {
        await using IncomingTokens tokens = Open(Oidc);

        TokenVerdict verdict = await DecideAsync(tokens, await _server.IssueAsync());

        Assert.Equal("admitted", verdict.Reason);
        Assert.Equal(AuthorizationServer.Machine, verdict.Caller);
    }

    [Fact]
    public async Task TokenIsRefusedOnceItHasExpired()
    {
        await using IncomingTokens tokens = Open(Oidc);
        string token = await _server.IssueAsync();
        await DecideAsync(tokens, token);

        _clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal("expired", (await DecideAsync(tokens, token)).Reason);
    }

    [Fact]
    public async Task TokenForAnotherAudienceIsRefused()
    {
        await using IncomingTokens tokens = Open(Oidc with { Audiences = ["https://other.example/mcp"] });

        Assert.Equal("wrong-audience", (await DecideAsync(tokens, await _server.IssueAsync())).Reason);
    }

    /// <summary>The server's own name for itself ends in a slash.</summary>
    [Theory]
    [InlineData("", "admitted")]
    [InlineData("/x", "wrong-issuer")]
    [InlineData("//", "wrong-issuer")]
    public async Task IssuerIsComparedByteForByteButForTheSlashBehindTheHost(string suffix, string reason)
    {
        await using IncomingTokens tokens = Open(Oidc with { Issuer = _server.Url + suffix, JwksUri = new Uri($"{_server.Url}/.well-known/jwks") });

        Assert.Equal(reason, (await DecideAsync(tokens, await _server.IssueAsync())).Reason);
    }

    [Fact]
    public async Task TokenByARotatedKeyIsAdmittedWithinOneRequest()
    {
        await using IncomingTokens tokens = Open(Oidc);
        string old = await _server.IssueAsync();
        Assert.Equal("admitted", (await DecideAsync(tokens, old)).Reason);

        _server.RotateKey();

        Assert.Equal("admitted", (await DecideAsync(tokens, await _server.IssueAsync())).Reason);
        Assert.Equal("unknown-key", (await DecideAsync(tokens, old)).Reason);
    }

    [Fact]
    public async Task TokenWithoutTheRequiredScopeIsInsufficient()
    {
        await using IncomingTokens tokens = Open(Oidc with { RequiredScopes = [AuthorizationServer.Scope] });

        Assert.Equal(TokenVerdictKind.Admitted, (await DecideAsync(tokens, await _server.IssueAsync())).Kind);
        Assert.Equal(TokenVerdictKind.InsufficientScope, (await DecideAsync(tokens, await _server.IssueAsync("other"))).Kind);
    }

    [Fact]
    public async Task IntrospectedTokenIsAdmitted()
    {
        await using IncomingTokens tokens = Open(Introspection with { RequiredScopes = [AuthorizationServer.Scope] });

        TokenVerdict verdict = await DecideAsync(tokens, await _server.IssueAsync());

        Assert.Equal("admitted", verdict.Reason);
        Assert.Equal(AuthorizationServer.Machine, verdict.Caller);
    }

    [Fact]
    public async Task RevokedTokenIsRefusedByIntrospection()
    {
        await using IncomingTokens tokens = Open(Introspection);
        string token = await _server.IssueAsync();
        Assert.Equal("admitted", (await DecideAsync(tokens, token)).Reason);

        await _server.RevokeAsync(token);
        _clock.Advance(IntrospectionValidator.MaxAge);

        Assert.Equal("inactive", (await DecideAsync(tokens, token)).Reason);
    }

    [Fact]
    public async Task WrongIntrospectionSecretIsAnOutageAndNoRefusal()
    {
        await using IncomingTokens tokens = Open(IntrospectionWith("wrong"));

        Assert.Equal(TokenVerdictKind.Unavailable, (await DecideAsync(tokens, await _server.IssueAsync())).Kind);
    }

    private IntrospectionPolicy IntrospectionWith(string secret) =>
        TokenPolicy.Introspection(new Uri($"{_server.Url}/introspect"), AuthorizationServer.Introspector, secret) with { Audiences = [TokenForge.Audience] };

    private IncomingTokens Open(TokenPolicy policy)
    {
        IncomingTokens tokens = IncomingTokens.Open(policy, trustAnchors: null, _clock, NullLogger.Instance);
        tokens.Gate.Start();
        return tokens;
    }

    private static async Task<TokenVerdict> DecideAsync(IncomingTokens tokens, string token) =>
        await tokens.Gate.DecideAsync(Encoding.ASCII.GetBytes(token), default);
}
