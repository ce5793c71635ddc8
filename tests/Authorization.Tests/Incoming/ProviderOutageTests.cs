using McpProxyFast.Admission;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A provider that is down, slow or talks nonsense: bounded, never a 401, and recovered from by itself.</summary>
public sealed class ProviderOutageTests : IAsyncLifetime
{
    private const string Discovery = "/.well-known/openid-configuration";

    private IncomingFixture _fixture = null!;

    private ProviderServer Provider => _fixture.Provider;

    public static TheoryData<string, string, int, string> Nonsense => new()
    {
        { Discovery, "<html>maintenance</html>", 200, "text/html" },
        { Discovery, "{}", 500, "application/json" },
        { Discovery, "{}", 429, "application/json" },
        { Discovery, "[]", 200, "application/json" },
        { Discovery, "{\"issuer\":", 200, "application/json" },
        { Discovery, "{\"issuer\":\"https://other.example\",\"jwks_uri\":\"https://other.example/keys\"}", 200, "application/json" },
        { Discovery, "", 404, "text/plain" },
        { "/keys", "<html>maintenance</html>", 200, "text/html" },
        { "/keys", "{\"keys\":[]}", 200, "application/json" },
        { "/keys", "{\"keys\":{}}", 200, "application/json" },
        { "/keys", "[]", 200, "application/json" },
        { "/keys", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}", 200, "application/json" },
        { "/keys", "", 503, "text/plain" },
        { "/keys", "", 404, "text/plain" },
        { "/keys", "", 302, "text/plain" },
    };

    public async Task InitializeAsync() => _fixture = await IncomingFixture.StartAsync();

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task ProviderThatTalksNonsenseMeansUnavailable(string path, string body, int status, string type)
    {
        Provider.Answer(path, body, status, type);

        await IsUnavailableUntilHealedAsync();
    }

    [Fact]
    public async Task TenMebibytesAreNotRead()
    {
        Provider.Answer("/keys", new string(' ', 10 * 1024 * 1024));

        await IsUnavailableUntilHealedAsync();
    }

    [Fact]
    public async Task EndlessAnswerIsCutOff()
    {
        byte[] blanks = new byte[64 * 1024];
        Array.Fill(blanks, (byte)' ');
        Provider.Answer("/keys", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(blanks, context.RequestAborted);
            }
        });

        await IsUnavailableUntilHealedAsync();
    }

    [Fact]
    public async Task SilentProviderIsWaitedForATimeOnly()
    {
        Provider.Answer("/keys", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        Task<TokenVerdict> deciding = _fixture.DecideAsync(_fixture.Forge.Make(_fixture.Key));
        await Patience.UntilAsync(() => Provider.TimesAsked("/keys") > 0);

        _fixture.Clock.Advance(TokenGate.DecisionTimeout);

        Assert.Equal(TokenVerdictKind.Unavailable, (await deciding).Kind);
    }

    [Fact]
    public async Task ProviderThatIsDownIsFoundAgain()
    {
        await Provider.StopAsync();
        TokenVerdict verdict = await _fixture.DecideAsync(_fixture.Forge.Make(_fixture.Key));
        Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind);
        Assert.Equal(5, verdict.RetryAfterSeconds);

        await Provider.RestartAsync();

        await IsHealedAsync();
    }

    [Fact]
    public async Task KnownKeysAndTokensOutliveAnOutage()
    {
        string known = _fixture.Forge.Make(_fixture.Key);
        await _fixture.ReasonAsync(known);
        await Provider.StopAsync();
        _fixture.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("admitted", await _fixture.ReasonAsync(known));
        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    [Fact]
    public async Task UnknownKeyDuringAnOutageHasNoVerdict()
    {
        await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key));
        await Provider.StopAsync();

        TokenVerdict verdict = await _fixture.DecideAsync(_fixture.Forge.Make(TestKey.Curve("fresh", "P-256")));

        Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind);
    }

    [Fact]
    public async Task KeysThatNobodyConfirmsForADayAreNotUsed()
    {
        await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key));
        await Provider.StopAsync();

        _fixture.Clock.Advance(IssuerKeyCache.MaxAge);

        Assert.Equal(TokenVerdictKind.Unavailable, (await _fixture.DecideAsync(_fixture.Forge.Make(_fixture.Key))).Kind);
    }

    [Fact]
    public async Task NonsenseDoesNotReplaceKnownKeys()
    {
        await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key));
        Provider.Answer("/keys", "{\"keys\":[]}");
        await _fixture.ReasonAsync(_fixture.Forge.Make(TestKey.Curve("fresh", "P-256")));

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key, payload: payload => payload["jti"] = "2")));
    }

    [Fact]
    public async Task HangingProviderAndManyUnknownKeysLeaveRoomForTokensByKnownKeys()
    {
        await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key));
        int before = Provider.TimesAsked("/keys");
        Provider.Answer("/keys", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        TestKey unknown = TestKey.Curve("unknown", "P-256");
        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, TokenGate.MaxPending + 8).Select(index => _fixture.DecideAsync(Unknown(unknown, index)))];
        await Patience.UntilAsync(() => Provider.TimesAsked("/keys") > before);
        await Patience.UntilAsync(() => waiting.Count(deciding => !deciding.IsCompleted) <= IssuerKeyCache.MaxWaiting);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key, payload: payload => payload["jti"] = "2")));

        // A fetch that is overdue is waited for by nobody, and answered by nothing but 503.
        _fixture.Clock.Advance(IssuerKeyCache.MaxFetchWait);
        Assert.Equal("keys-overdue", await _fixture.ReasonAsync(Unknown(unknown, index: -1)));
        TokenVerdict[] verdicts = await AdvanceUntilAsync(Task.WhenAll(waiting));
        Assert.All(verdicts, verdict => Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind));
    }

    [Fact]
    public async Task ManyCallersWhoComeBeforeTheKeysWaitForThem()
    {
        const int callers = 700;
        TestKey key = TestKey.Curve("curve", "P-256");
        var held = new TaskCompletionSource();
        Provider.Answer("/keys", async context =>
        {
            await held.Task;
            await context.Response.WriteAsync(TestKey.SetOf([key]));
        });
        string[] tokens = [.. Enumerable.Range(0, callers).Select(caller => _fixture.Forge.Make(key, payload: payload => payload["sub"] = $"caller-{caller}"))];
        Task<TokenVerdict>[] waiting = [.. tokens.Select(_fixture.DecideAsync)];
        await Patience.UntilAsync(() => Provider.TimesAsked("/keys") > 0);
        held.SetResult();

        TokenVerdict[] verdicts = await Task.WhenAll(waiting);

        Assert.Equal(Enumerable.Range(0, callers).Select(caller => $"caller-{caller}"), verdicts.Select(verdict => verdict.Caller));
    }

    [Fact]
    public async Task HangingIntrospectionLeavesRoomForTokensByKnownKeys()
    {
        _fixture.Policy = ((JwtPolicy)_fixture.Policy) with { OpaqueTokens = TokenIntrospection.At(new Uri($"{Provider.Url}/introspect")) };
        Provider.Answer("/introspect", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, TokenGate.MaxPending + 8).Select(index => _fixture.DecideAsync($"opaque-{index}"))];
        await Patience.UntilAsync(() => Provider.TimesAsked("/introspect") == IntrospectionValidator.MaxAsked);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
        Assert.DoesNotContain(waiting, deciding => deciding.IsCompleted);

        TokenVerdict[] verdicts = await AdvanceUntilAsync(Task.WhenAll(waiting));
        Assert.All(verdicts, verdict => Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind));
    }

    [Theory]
    [InlineData("//[")]
    [InlineData("http://[::1")]
    [InlineData("/keys2")]
    public async Task OddRedirectDoesNotEndTheRefreshOfKeys(string location)
    {
        await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key));
        Provider.Answer("/keys", context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = location;
            return Task.CompletedTask;
        });
        int before = Provider.TimesAsked("/keys");

        await Patience.UntilAsync(() =>
        {
            _fixture.Clock.Pass(IssuerKeyCache.RefreshInterval);
            return Provider.TimesAsked("/keys") >= before + 3;
        });
    }

    [Fact]
    public async Task ByteOrderMarkIsPassedOver()
    {
        Provider.Answer(Discovery, "\uFEFF" + $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{Provider.Url}}/keys"}""");
        Provider.Answer("/keys", "\uFEFF" + TestKey.SetOf([_fixture.Key]));

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    [Theory]
    [InlineData("http://keys.example/keys")]
    [InlineData("file:///etc/passwd")]
    [InlineData("keys")]
    public async Task KeysAreNotFetchedFromJustAnywhere(string jwksUri)
    {
        Provider.Answer(Discovery, $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{jwksUri}}"}""");

        await IsUnavailableUntilHealedAsync();
    }

    [Fact]
    public async Task MetadataOfRfc8414WillDo()
    {
        Provider.Answer(Discovery, "", 404);
        Provider.Answer("/.well-known/oauth-authorization-server", $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{Provider.Url}}/keys"}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    /// <summary>Many servers answer a path that they do not know with 200 and a page, and some with 500.</summary>
    [Theory]
    [InlineData("<html>Not here</html>", 200)]
    [InlineData("[]", 200)]
    [InlineData("", 500)]
    [InlineData("\uFEFF[]", 200)]
    [InlineData("\uFEFF{\"issuer\":\"\\ud800\"}", 200)]
    public async Task PlaceWithoutADocumentIsPassedOver(string body, int status)
    {
        Provider.Answer(Discovery, body, status);
        Provider.Answer("/.well-known/oauth-authorization-server", $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{Provider.Url}}/keys"}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    [Fact]
    public Task PlaceWithATooLargeBodyIsPassedOver() => IsPassedOverAsync(http => http.Response.WriteAsync(new string(' ', 2 * 1024 * 1024)));

    [Fact]
    public Task PlaceWithATooLargeHeadIsPassedOver() => IsPassedOverAsync(http =>
    {
        http.Response.Headers["X-Large"] = new string('x', 128 * 1024);
        return Task.CompletedTask;
    });

    [Fact]
    public Task PlaceWhoseAnswerIsCutIsPassedOver() => IsPassedOverAsync(async http =>
    {
        http.Response.ContentLength = 1_000; // Kestrel closes the connection where fewer bytes were written
        await http.Response.WriteAsync("{");
    });

    [Fact]
    public Task DocumentThatNamesNoKeysIsPassedOver() => IsPassedOverAsync(http => http.Response.WriteAsync($$"""{"issuer":"{{Provider.Url}}"}"""));

    [Theory]
    [InlineData("/realms/x/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server/realms/x")]
    public async Task IssuerMayHaveAPath(string place)
    {
        string issuer = $"{Provider.Url}/realms/x";
        _fixture.Policy = TokenPolicy.Oidc(issuer, TokenForge.Audience);
        Provider.Answer(place, $$"""{"issuer":"{{issuer}}","jwks_uri":"{{Provider.Url}}/keys"}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key, payload: payload => payload["iss"] = issuer)));
    }

    [Fact]
    public async Task GivenKeySetNeedsNoDiscovery()
    {
        _fixture.Policy = new JwtPolicy(new Uri($"{Provider.Url}/keys")) { Audiences = [TokenForge.Audience] };

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
        Assert.Equal(0, Provider.TimesAsked(Discovery));
    }

    /// <summary>The first place answers so, and the keys are found through the next one.</summary>
    private async Task IsPassedOverAsync(RequestDelegate answer)
    {
        Provider.Answer(Discovery, answer);
        Provider.Answer("/.well-known/oauth-authorization-server", $$"""{"issuer":"{{Provider.Url}}","jwks_uri":"{{Provider.Url}}/keys"}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    private string Unknown(TestKey key, int index) => _fixture.Forge.Make(key, header: header => header["kid"] = $"unknown-{index}");

    /// <summary>Lets time pass until what waits for a provider has given up.</summary>
    private async Task<T> AdvanceUntilAsync<T>(Task<T> waiting)
    {
        await Patience.UntilAsync(() =>
        {
            _fixture.Clock.Advance(TimeSpan.FromSeconds(1));
            return waiting.IsCompleted;
        });
        return await waiting;
    }

    private async Task IsUnavailableUntilHealedAsync()
    {
        TokenVerdict verdict = await _fixture.DecideAsync(_fixture.Forge.Make(_fixture.Key));
        Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind);

        Provider.Publish(_fixture.Key);
        await IsHealedAsync();
    }

    private async Task IsHealedAsync()
    {
        _fixture.Clock.Advance(IssuerKeyCache.RefetchPause);
        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }
}
