using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Store;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>How long an exchanged token is used, when it is renewed, and who waits for it.</summary>
public sealed class ExchangeLifetimeTests : IAsyncLifetime
{
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ExchangeRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task TokenIsExchangedOnceWhileTheNewOneLives()
    {
        Uri proxy = await _rig.ProxyAsync();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        }

        _rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task EachCallerHasATokenOfItsOwn()
    {
        Uri proxy = await _rig.ProxyAsync();

        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal("200 Bearer 2-for-bob", await _rig.AskAsync(proxy, "bob"));
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task TokenWithoutAStatedLifeIsUsedForAMinute()
    {
        _rig.Lifetime = null;
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");
        _rig.Clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task TokenWithoutAStatedLifeEndsWithItsOwnClaim()
    {
        _rig.Lifetime = null;
        _rig.EditAnswer = answer => answer["access_token"] = Jwt(TimeSpan.FromSeconds(20), "new");
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");
        _rig.Clock.Advance(TimeSpan.FromSeconds(21));
        await _rig.AskAsync(proxy, "alice");

        Assert.Equal(2, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task TokenForAnInstantIsUsedForNearlyASecond()
    {
        _rig.Lifetime = TimeSpan.FromMilliseconds(1);
        Uri proxy = await _rig.ProxyAsync();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
            _rig.Clock.Advance(TimeSpan.FromMilliseconds(200));
        }

        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    /// <summary>Nobody has checked such a token but the server, which may take it for an opaque one.</summary>
    [Fact]
    public async Task SubjectWithANameThatIsNoTextIsExchangedAsAnyOther()
    {
        string subject = $"{Text("{}")}.{Text("{\"exp\":1,\"\\ud800\":1}")}.c";
        Uri proxy = await _rig.ProxyAsync();

        Assert.Equal($"200 Bearer 1-for-{subject}", await _rig.AskAsync(proxy, subject));

        static string Text(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }

    [Fact]
    public async Task TokenEndsWithTheOneThatItWasExchangedFor()
    {
        string subject = Jwt(TimeSpan.FromMinutes(5), "alice");
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, subject);
        _rig.Clock.Advance(TimeSpan.FromMinutes(5));
        await _rig.AskAsync(proxy, subject);

        Assert.Equal(2, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task TokenInUseIsRenewedAheadOfItsEndAndNobodyWaits()
    {
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");
        var held = new TaskCompletionSource();
        _rig.Answer = async (http, request) =>
        {
            await held.Task;
            await _rig.IssueAsync(http, request);
        };
        _rig.Clock.Advance(TimeSpan.FromMinutes(58));
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice")); // while its renewal hangs
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        _rig.Answer = null;
        held.SetResult();
        await Patience.UntilAsync(() => _rig.Log.Lines.Count(line => line.StartsWith("Exchanged a token", StringComparison.Ordinal)) == 2);
        _rig.Clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal(2, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task RenewalThatFailsLeavesTheOldTokenInUseAndIsTriedAgain()
    {
        Uri proxy = await _rig.ProxyAsync();
        await _rig.AskAsync(proxy, "alice");
        _rig.Refuse("server_error", 500);
        _rig.Clock.Advance(TimeSpan.FromMinutes(58));
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        await Patience.UntilAsync(() => _rig.Log.Lines.Any(line => line.Contains("did not exchange a token", StringComparison.Ordinal)));
        _rig.Answer = null;
        Assert.Equal("200 Bearer 1-for-alice", await _rig.AskAsync(proxy, "alice"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        await _rig.AskUntilAsync(proxy, "alice", _ => _rig.Exchanges.Count == 3);
    }

    [Fact]
    public async Task CallersWhoComeTogetherShareOneExchangeAndOneWhoLeavesFailsNobody()
    {
        Uri proxy = await _rig.ProxyAsync();
        var held = new TaskCompletionSource();
        _rig.Answer = async (http, request) =>
        {
            await held.Task;
            await _rig.IssueAsync(http, request);
        };
        using var leaving = new CancellationTokenSource();
        Task<HttpResponseMessage> first = _rig.SendAsync(proxy, "Bearer alice", leaving.Token);
        await Patience.UntilAsync(() => !_rig.Exchanges.IsEmpty);
        Task<string>[] others = [.. Enumerable.Range(0, 20).Select(_ => _rig.AskAsync(proxy, "alice"))];
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        held.SetResult();

        Assert.All(await Task.WhenAll(others), answer => Assert.Equal("200 Bearer 1-for-alice", answer));
        Assert.Single(_rig.Exchanges);
    }

    [Fact]
    public async Task IdTokenOfALoginIsExchangedAndSurvivesRenewalsThatGiveNone()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        login.EditTokens = tokens =>
        {
            if (login.TokenRequests.Count == 1)
            {
                tokens["id_token"] = "the.id.token";
            }
        };
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with
        {
            Subject = TokenExchangeSubject.Of(Machine(login)),
            Variant = new TokenExchangeVariant.Rfc8693 { SubjectTokenType = ExchangedTokenType.IdToken },
        });

        Assert.Equal("200 Bearer 1-for-the.id.token", await _rig.AskAsync(proxy, "alice"));
        _rig.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal("200 Bearer 2-for-the.id.token", await _rig.AskAsync(proxy, "alice"));
        Assert.Equal("refresh_token", login.TokenRequests.Last()["grant_type"]);
    }

    [Fact]
    public async Task IdTokenOfALoginIsStillThereAfterARestart()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        using var folder = new TemporaryFolder();
        login.EditTokens = tokens => tokens["id_token"] = "the.id.token";
        TokenExchangePolicy policy = _rig.Policy with
        {
            Subject = TokenExchangeSubject.Of(Machine(login) with { Store = new CredentialStoreFile(folder.File("store")) }),
            Variant = new TokenExchangeVariant.Rfc8693 { SubjectTokenType = ExchangedTokenType.IdToken },
        };
        await _rig.AskAsync(await _rig.ProxyAsync(policy), "alice");

        Assert.Equal("200 Bearer 2-for-the.id.token", await _rig.AskAsync(await _rig.ProxyAsync(policy), "alice"));
        Assert.Single(login.TokenRequests);
    }

    [Fact]
    public async Task LoginWithoutAnIdTokenIsSaidToHaveNone()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with
        {
            Subject = TokenExchangeSubject.Of(Machine(login)),
            Variant = new TokenExchangeVariant.Rfc8693 { SubjectTokenType = ExchangedTokenType.IdToken },
        });

        Assert.Contains("exchange-no-id-token", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        Assert.Empty(_rig.Exchanges);
    }

    [Fact]
    public async Task LoginThatIsNoBearerTokenIsNotExchanged()
    {
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(OutgoingPolicy.From(new Basic())) });

        Assert.Contains("exchange-no-bearer", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        Assert.Empty(_rig.Exchanges);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RenewedLoginMakesNobodyWait(bool isSubject)
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        _rig.Lifetime = TimeSpan.FromHours(10);
        Uri proxy = await _rig.ProxyAsync(isSubject
            ? _rig.Policy with { Subject = TokenExchangeSubject.Of(Machine(login)) }
            : _rig.Policy with { Variant = new TokenExchangeVariant.Rfc8693 { Actor = TokenExchangeActor.Of(Machine(login)) } });
        string first = await _rig.AskAsync(proxy, "alice");
        _rig.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMinutes(3));
        await Patience.UntilAsync(() => login.TokenRequests.Count == 2);
        var held = new TaskCompletionSource();
        _rig.Answer = async (http, request) =>
        {
            await held.Task;
            await _rig.IssueAsync(http, request);
        };

        Assert.Equal(first, await _rig.AskAsync(proxy, "alice")); // while the exchange for the new token hangs
        held.SetResult();
        await _rig.AskUntilAsync(proxy, "alice", answer => answer != first);
        Assert.Equal(2, _rig.Exchanges.Count);
    }

    [Fact]
    public async Task LoginThatAnotherProcessHasRenewedMakesNobodyWait()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        using var folder = new TemporaryFolder();
        _rig.Lifetime = TimeSpan.FromHours(10);
        OAuthPolicy machine = Machine(login) with { Store = new CredentialStoreFile(folder.File("store")) };
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(machine) });
        string first = await _rig.AskAsync(proxy, "alice");
        var held = new TaskCompletionSource();
        _rig.Answer = async (http, request) =>
        {
            await held.Task;
            await _rig.IssueAsync(http, request);
        };
        using (var other = new AuthorizationClient(machine, _rig.Target, CredentialStore.For(machine, _rig.Log), _rig.Clock, _rig.Log))
        {
            await other.RenewAsync((await other.LoadAsync(CancellationToken.None))!, CancellationToken.None);
        }

        await _rig.AskUntilAsync(proxy, "alice", answer =>
        {
            Assert.Equal(first, answer); // also while the exchange for the new token hangs
            _rig.Clock.Pass(StoreWatch.Period);
            return _rig.Exchanges.Count == 2;
        });
        Assert.Equal(first, await _rig.AskAsync(proxy, "alice"));
        held.SetResult();
        await _rig.AskUntilAsync(proxy, "alice", answer => answer != first);
    }

    [Fact]
    public async Task NewTokenThatTheUpstreamRefusesIsNotReplacedByTheOldOne()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        _rig.Lifetime = TimeSpan.FromHours(10);
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(Machine(login)) });
        string old = await _rig.AskAsync(proxy, "alice");
        _rig.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMinutes(3));
        await Patience.UntilAsync(() => login.TokenRequests.Count == 2);
        await _rig.AskUntilAsync(proxy, "alice", answer => answer != old);
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        _rig.Upstream = http =>
        {
            string token = http.Request.Headers.Authorization.ToString();
            http.Response.StatusCode = token.StartsWith("Bearer 2-", StringComparison.Ordinal) ? 401 : 200;
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            return http.Response.WriteAsync(token);
        };

        Assert.StartsWith("200 Bearer 3-for-", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(120)]
    [InlineData(7200)]
    public async Task TokenEndsWithTheOpaqueOneForWhichIntrospectionStatesAnEnd(int seconds)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow.AddSeconds(seconds);
        _rig.Upstream = http => http.Request.Path != "/introspect"
            ? http.Response.WriteAsync("ok")
            : ExchangeRig.SendAsync(http, 200, new JsonObject { ["active"] = true, ["sub"] = "alice", ["exp"] = end.ToUnixTimeSeconds() });
        Uri proxy = _rig.Serve(new McpProxyOptions
        {
            Target = _rig.Target,
            Incoming = TokenPolicy.Introspection(new Uri($"{_rig.Origin}/introspect"), "proxy", "s3cret"),
            Outgoing = _rig.Policy,
        });

        Assert.Equal("200 ok", await _rig.AskAsync(proxy, "opaque"));

        ExpectSentUntilJustBefore(end);
    }

    [Theory]
    [InlineData(120)]
    [InlineData(7200)]
    public async Task ExchangedTokenIsSentOnlyUntilTheEndThatACustomValidatorStates(int seconds)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow.AddSeconds(seconds);
        Uri proxy = _rig.Serve(new McpProxyOptions { Target = _rig.Target, Incoming = TokenPolicy.Custom(new Admits(end)), Outgoing = _rig.Policy });

        Assert.Equal("200 Bearer 1-for-opaque", await _rig.AskAsync(proxy, "opaque"));

        ExpectSentUntilJustBefore(end);
    }

    [Fact]
    public async Task LoginWhoseTokenTheExchangeRefusesIsRenewedOnce()
    {
        await using SignInServer login = await SignInServer.StartAsync(_rig.Clock);
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(Machine(login)) });
        string? refused = null;
        _rig.Answer = (http, request) =>
        {
            refused ??= request["subject_token"];
            return request["subject_token"] == refused
                ? ExchangeRig.SendAsync(http, 400, new JsonObject { ["error"] = "invalid_grant" })
                : _rig.IssueAsync(http, request);
        };

        Assert.StartsWith("200 Bearer 1-for-access", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        Assert.Equal(2, login.TokenRequests.Count);
    }

    private void ExpectSentUntilJustBefore(DateTimeOffset end)
    {
        string told = _rig.Log.Lines.Single(line => line.StartsWith("Exchanged a token", StringComparison.Ordinal)).Split("sent until ")[1].Split('.')[0];
        DateTimeOffset sentUntil = DateTimeOffset.Parse(told, CultureInfo.InvariantCulture);
        DateTimeOffset first = end < DateTimeOffset.UtcNow.AddHours(1) ? end : DateTimeOffset.UtcNow.AddHours(1);
        Assert.InRange(first - sentUntil, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(90));
    }

    private static OAuthPolicy Machine(SignInServer login) => new()
    {
        Server = OAuthServer.FromEndpoints(new Uri($"{login.Origin}/token")),
        Grant = new OAuthGrant.ClientCredentials("id", ClientAuthentication.Secret("s")),
    };

    private string Jwt(TimeSpan life, string subject)
    {
        string payload = new JsonObject { ["sub"] = subject, ["exp"] = (_rig.Clock.GetUtcNow() + life).ToUnixTimeSeconds() }.ToJsonString();
        return $"e30.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.c2ln";
    }

    /// <summary>States an end that is not the one up to which its verdict holds.</summary>
    private sealed class Admits(DateTimeOffset end) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
            new(TokenVerdict.Admit("alice", DateTimeOffset.UtcNow.AddSeconds(30), end));
    }

    private sealed class Basic : ICredentialSource
    {
        public ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken) => new(new OutgoingCredential("Basic YTpi"));
    }
}
