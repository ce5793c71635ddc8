using McpProxyFast.Admission;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

public sealed class IntrospectionTests : IAsyncLifetime
{
    private const string Active = """{"active":true,"sub":"alice","aud":"https://mcp.example.com/mcp","scope":"mcp"}""";

    private IncomingFixture _fixture = null!;

    private ProviderServer Provider => _fixture.Provider;

    private IntrospectionPolicy Opaque =>
        TokenPolicy.Introspection(new Uri($"{Provider.Url}/introspect"), "proxy", "s3cret:/?") with { Audiences = [TokenForge.Audience] };

    private IntrospectionPolicy Google =>
        new(TokenIntrospection.Google(new Uri($"{Provider.Url}/tokeninfo"))) { Audiences = [TokenForge.Audience] };

    private JwtPolicy JwtsAndOpaque => TokenPolicy.Oidc(Provider.Url, TokenForge.Audience) with { OpaqueTokens = Opaque.OpaqueTokens };

    public async Task InitializeAsync()
    {
        _fixture = await IncomingFixture.StartAsync();
        _fixture.Policy = Opaque;
    }

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task ActiveTokenIsAdmitted()
    {
        Provider.Answer("/introspect", Active);

        TokenVerdict verdict = await _fixture.DecideAsync("opaque");

        Assert.Equal(TokenVerdictKind.Admitted, verdict.Kind);
        Assert.Equal("alice", verdict.Caller);
    }

    [Theory]
    [InlineData("inactive", """{"active":false}""")]
    [InlineData("inactive", """{"sub":"alice"}""")]
    [InlineData("inactive", """{"active":"true","sub":"alice"}""")]
    [InlineData("wrong-audience", """{"active":true,"sub":"alice"}""")]
    [InlineData("wrong-audience", """{"active":true,"sub":"alice","aud":["other"]}""")]
    [InlineData("expired", """{"active":true,"sub":"alice","aud":"https://mcp.example.com/mcp","exp":1000}""")]
    [InlineData("not-yet-valid", """{"active":true,"sub":"alice","aud":"https://mcp.example.com/mcp","nbf":99999999999}""")]
    [InlineData("no-subject", """{"active":true,"aud":"https://mcp.example.com/mcp"}""")]
    [InlineData("admitted", """{"active":true,"client_id":"job","aud":["x","https://mcp.example.com/mcp"]}""")]
    public async Task AnswerIsChecked(string reason, string answer)
    {
        Provider.Answer("/introspect", answer);

        Assert.Equal(reason, await _fixture.ReasonAsync("opaque"));
    }

    /// <summary>RFC 7519 §2: a NumericDate may have a fraction. What a server does not know it leaves out, or writes as null.</summary>
    [Theory]
    [InlineData("\"exp\":null,\"nbf\":null,\"iat\":null", "admitted")]
    [InlineData("\"exp\":4102444800.75,\"nbf\":1000.5,\"iat\":1000.25", "admitted")]
    [InlineData("\"iat\":\"yesterday\"", "admitted")]
    [InlineData("\"iat\":99999999999", "admitted")]
    [InlineData("\"exp\":1000.5", "expired")]
    [InlineData("\"exp\":-1", "expired")]
    [InlineData("\"nbf\":4102444800.5", "not-yet-valid")]
    [InlineData("\"nbf\":1e300", "not-yet-valid")]
    [InlineData("\"exp\":1e300", "admitted")]
    public async Task TimesAreNumericDates(string members, string reason)
    {
        Provider.Answer("/introspect", Active.Replace("{", $"{{{members},", StringComparison.Ordinal));

        Assert.Equal(reason, await _fixture.ReasonAsync("opaque"));
    }

    [Theory]
    [InlineData("token_type", "Bearer", "admitted")]
    [InlineData("token_type", "DPoP", "admitted")]
    [InlineData("token_type", "access_token", "admitted")]
    [InlineData("token_type", "urn:ietf:params:oauth:token-type:access_token", "admitted")]
    [InlineData("token_type", "refresh_token", "not-an-access-token")]
    [InlineData("token_type", "Refresh", "not-an-access-token")]
    [InlineData("token_type", "urn:ietf:params:oauth:token-type:refresh_token", "not-an-access-token")]
    [InlineData("token_type", "urn:ietf:params:oauth:token-type:id_token", "not-an-access-token")]
    [InlineData("token_use", "access", "admitted")]
    [InlineData("token_use", "access_token", "admitted")]
    [InlineData("token_use", "id", "not-an-access-token")]
    [InlineData("token_use", "refresh_token", "not-an-access-token")]
    [InlineData("token_usage", "access_token", "admitted")]
    [InlineData("token_usage", "id_token", "not-an-access-token")]
    [InlineData("use", "refresh", "not-an-access-token")]
    [InlineData("typ", "Bearer", "admitted")]
    [InlineData("typ", "at+jwt", "admitted")]
    [InlineData("typ", "ID", "not-an-access-token")]
    [InlineData("typ", "Offline", "not-an-access-token")]
    [InlineData("typ", "logout+jwt", "not-an-access-token")]
    [InlineData("at_hash", "x", "not-an-access-token")]
    public async Task OnlyAccessTokensAreAdmitted(string member, string value, string reason)
    {
        Provider.Answer("/introspect", Active.Replace("{", $"{{\"{member}\":\"{value}\",", StringComparison.Ordinal));

        Assert.Equal(reason, await _fixture.ReasonAsync("opaque"));
    }

    [Theory]
    [InlineData("\"client_id\":\"app\"", "admitted")]
    [InlineData("\"client_id\":\"other\"", "client-not-allowed")]
    [InlineData("\"scope\":\"x\"", "client-not-allowed")]
    public async Task AllowedClientsStandInForTheAudience(string members, string reason)
    {
        _fixture.Policy = _fixture.Policy with { AllowedClients = ["app"] };
        Provider.Answer("/introspect", $$"""{"active":true,"sub":"alice",{{members}}}""");

        Assert.Equal(reason, await _fixture.ReasonAsync("opaque"));
    }

    [Theory]
    [InlineData("https://login.example.com", "admitted")]
    [InlineData("https://other.example", "wrong-issuer")]
    [InlineData(null, "admitted")]
    public async Task IssuerIsComparedWhereItIsNamed(string? named, string reason)
    {
        _fixture.Policy = JwtsAndOpaque with { Issuer = "https://login.example.com", JwksUri = new Uri($"{Provider.Url}/keys") };
        Provider.Answer("/introspect", named is null ? Active : Active.Replace("{", $"{{\"iss\":\"{named}\",", StringComparison.Ordinal));

        Assert.Equal(reason, await _fixture.ReasonAsync("opaque"));
    }

    [Fact]
    public async Task ClientAuthenticatesByBasicAndAsksByForm()
    {
        string? authorization = null;
        string? body = null;
        Provider.Answer("/introspect", async context =>
        {
            authorization = context.Request.Headers.Authorization;
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync(Active);
        });

        await _fixture.ReasonAsync("opaque+/=");

        // RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
        Assert.Equal($"Basic {Convert.ToBase64String("proxy:s3cret%3A%2F%3F"u8)}", authorization);
        Assert.Contains("token=opaque%2B%2F%3D", body, StringComparison.Ordinal);
        Assert.DoesNotContain("client_secret", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecretGoesIntoTheBodyWhereBasicIsRefused()
    {
        Provider.Answer("/introspect", async context =>
        {
            bool inBody = (await context.Request.ReadFormAsync())["client_secret"] == "s3cret:/?";
            context.Response.StatusCode = inBody ? 200 : 401;
            await context.Response.WriteAsync(inBody ? Active : "");
        });

        Assert.Equal("admitted", await _fixture.ReasonAsync("one"));
        Assert.Equal("admitted", await _fixture.ReasonAsync("two"));
        Assert.Equal(3, Provider.TimesAsked("/introspect"));
    }

    [Fact]
    public async Task SecretStaysOutOfTheBodyWhereTheServerSaysSo()
    {
        _fixture.Policy = JwtsAndOpaque;
        Provider.Answer(
            "/.well-known/openid-configuration",
            $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{Provider.Url}}/keys","introspection_endpoint_auth_methods_supported":["client_secret_basic"]}""");
        Provider.Answer("/introspect", "", 401);

        Assert.Equal(TokenVerdictKind.Unavailable, (await _fixture.DecideAsync("opaque")).Kind);
        Assert.Equal(1, Provider.TimesAsked("/introspect"));
    }

    [Fact]
    public async Task AnswerIsUsedAgainForAShortTime()
    {
        Provider.Answer("/introspect", Active);
        await _fixture.ReasonAsync("opaque");
        await _fixture.ReasonAsync("opaque");
        Assert.Equal(1, Provider.TimesAsked("/introspect"));

        Provider.Answer("/introspect", """{"active":false}""");
        _fixture.Clock.Advance(IntrospectionValidator.MaxAge);

        Assert.Equal("inactive", await _fixture.ReasonAsync("opaque"));
    }

    [Fact]
    public async Task AnswerIsNotUsedBeyondTheTokensExpiry()
    {
        _fixture.Policy = _fixture.Policy with { ClockSkew = TimeSpan.Zero };
        Provider.Answer("/introspect", Active.Replace("{", $"{{\"exp\":{_fixture.Forge.Seconds(TimeSpan.FromSeconds(10))},", StringComparison.Ordinal));
        Assert.Equal("admitted", await _fixture.ReasonAsync("opaque"));

        _fixture.Clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("expired", await _fixture.ReasonAsync("opaque"));
    }

    [Theory]
    [InlineData("<html>", 200)]
    [InlineData("[]", 200)]
    [InlineData("""{"active":true,"sub":"alice","exp":"soon"}""", 200)]
    [InlineData("{}", 500)]
    [InlineData("{}", 403)]
    [InlineData("""{"active":true,"sub":"alice","nbf":[]}""", 200)]
    [InlineData("""{"active":true,"sub":"alice","scope":"\ud800","aud":"https://mcp.example.com/mcp"}""", 200)]
    public async Task EndpointThatTalksNonsenseMeansUnavailable(string body, int status)
    {
        Provider.Answer("/introspect", body, status);
        Assert.Equal(TokenVerdictKind.Unavailable, (await _fixture.DecideAsync("opaque")).Kind);

        Provider.Answer("/introspect", Active);
        Assert.Equal("admitted", await _fixture.ReasonAsync("opaque"));
    }

    /// <summary>As after a restart: all of them are answered, and the endpoint is not asked more at a time than it is said to be.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NewTokensOfManyCallersAreAskedAboutInTurn(bool besideJwts)
    {
        const int callers = 1_000;
        _fixture.Policy = besideJwts ? JwtsAndOpaque : Opaque;
        var held = new TaskCompletionSource();
        int asking = 0;
        int most = 0;
        Provider.Answer("/introspect", async context =>
        {
            int now = Interlocked.Increment(ref asking);
            for (int known = most; now > known; known = most)
            {
                Interlocked.CompareExchange(ref most, now, known);
            }

            string token = (await context.Request.ReadFormAsync())["token"]!;
            await held.Task;
            Interlocked.Decrement(ref asking);
            await context.Response.WriteAsync(Active.Replace("alice", token, StringComparison.Ordinal));
        });
        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, callers).Select(caller => _fixture.DecideAsync($"caller-{caller}"))];
        await Patience.UntilAsync(() => Provider.TimesAsked("/introspect") == IntrospectionValidator.MaxAsked);
        Assert.DoesNotContain(waiting, deciding => deciding.IsCompleted);
        held.SetResult();

        TokenVerdict[] verdicts = await Task.WhenAll(waiting);

        Assert.Equal(Enumerable.Range(0, callers).Select(caller => $"caller-{caller}"), verdicts.Select(verdict => verdict.Caller));
        Assert.Equal(callers, Provider.TimesAsked("/introspect"));
        Assert.InRange(most, 1, IntrospectionValidator.MaxAsked);
    }

    [Fact]
    public async Task TokenInTheQueueIsAskedAboutWhenThoseBeforeItHaveGivenUp()
    {
        Provider.Answer("/introspect", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        Task<TokenVerdict>[] asked = [.. Enumerable.Range(0, IntrospectionValidator.MaxAsked).Select(index => _fixture.DecideAsync($"asked-{index}"))];
        await Patience.UntilAsync(() => Provider.TimesAsked("/introspect") == IntrospectionValidator.MaxAsked);
        Provider.Answer("/introspect", Active);

        Task<TokenVerdict> waiting = _fixture.DecideAsync("waiting");
        Assert.False(waiting.IsCompleted);
        _fixture.Clock.Advance(TokenGate.DecisionTimeout);

        Assert.All(await Task.WhenAll(asked), verdict => Assert.Equal((TokenVerdictKind.Unavailable, 5), (verdict.Kind, verdict.RetryAfterSeconds)));
        Assert.Equal("alice", (await waiting).Caller);
    }

    [Fact]
    public async Task EndpointThatIsDownMeansUnavailable()
    {
        await Provider.StopAsync();

        Assert.Equal(TokenVerdictKind.Unavailable, (await _fixture.DecideAsync("opaque")).Kind);
    }

    [Fact]
    public async Task JwtIsNotIntrospectedWhereKeysAreKnown()
    {
        _fixture.Policy = JwtsAndOpaque;
        Provider.Answer("/introspect", Active);

        Assert.Equal("bad-signature", await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Rsa("key-1"))));
        Assert.Equal("admitted", await _fixture.ReasonAsync("opaque"));
        Assert.Equal(1, Provider.TimesAsked("/introspect"));
    }

    [Fact]
    public async Task EveryTokenIsIntrospectedWhereNoKeysAreKnown()
    {
        Provider.Answer("/introspect", Active);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
        Assert.Equal(1, Provider.TimesAsked("/introspect"));
    }

    [Fact]
    public async Task GoogleIsUnderstood()
    {
        Provider.Answer("/tokeninfo", context => context.Response.WriteAsync(
            context.Request.Query["access_token"] == "ya29.a+b"
                ? $$"""{"azp":"app","aud":"{{TokenForge.Audience}}","sub":"42","scope":"mcp","exp":"{{_fixture.Forge.Seconds(TimeSpan.FromMinutes(5))}}"}"""
                : "{}"));
        _fixture.Policy = Google;

        Assert.Equal("42", (await _fixture.DecideAsync("ya29.a+b")).Caller);
    }

    [Fact]
    public async Task GooglesRefusalIsARefusal()
    {
        Provider.Answer("/tokeninfo", """{"error":"invalid_token"}""", 400);
        _fixture.Policy = Google;

        Assert.Equal("inactive", await _fixture.ReasonAsync("ya29"));
    }

    [Fact]
    public async Task GitHubIsUnderstood()
    {
        Provider.Answer("/applications/app/token", async context =>
        {
            string body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            bool good = body == """{"access_token":"gho_abc"}"""
                && context.Request.Headers.Authorization == $"Basic {Convert.ToBase64String("app:secret"u8)}"
                && context.Request.Headers.UserAgent.Count == 1;
            context.Response.StatusCode = good ? 200 : 404;
            await context.Response.WriteAsync("""{"user":{"login":"octocat"},"scopes":["repo","mcp"],"expires_at":null}""");
        });
        var check = TokenIntrospection.GitHub(new Uri($"{Provider.Url}/applications/app/token"), "app", "secret");
        _fixture.Policy = new IntrospectionPolicy(check) { Audiences = ["https://github.com"], RequiredScopes = ["mcp"] };

        TokenVerdict good = await _fixture.DecideAsync("gho_abc");
        TokenVerdict bad = await _fixture.DecideAsync("gho_other");

        Assert.Equal("octocat", good.Caller);
        Assert.Equal(_fixture.Clock.GetUtcNow() + IntrospectionValidator.MaxAge, good.ReusableUntil);
        Assert.Equal("inactive", bad.Reason);
    }
}
