using System.Text.Json.Nodes;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

public sealed class JwtTests : IAsyncLifetime
{
    private IncomingFixture _fixture = null!;

    public async Task InitializeAsync() => _fixture = await IncomingFixture.StartAsync();

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task EveryAsymmetricAlgorithmIsAdmitted(string algorithm)
    {
        TestKey key = KeyFor(algorithm, "key-2");
        _fixture.Provider.Publish(_fixture.Key, key);

        TokenVerdict verdict = await _fixture.DecideAsync(_fixture.Forge.Make(key, algorithm));

        Assert.Equal("admitted", verdict.Reason);
        Assert.Equal("alice", verdict.Caller);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES384")]
    public async Task TokenWithoutKeyIdIsTriedWithTheKeysThatFit(string algorithm)
    {
        TestKey key = KeyFor(algorithm, id: null);
        _fixture.Provider.Publish(_fixture.Key, TestKey.Curve("key-3", "P-256"), key);

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(key, algorithm)));
    }

    /// <summary>The flag may be written as the provider's manual has it, where its documents and tokens end in a slash.</summary>
    [Theory]
    [InlineData("/", "", "admitted")]
    [InlineData("", "/", "admitted")]
    [InlineData("/", "//", "wrong-issuer")]
    [InlineData("", "/x", "wrong-issuer")]
    public async Task IssuerWithoutAPathMayEndInASlashOrNot(string inPolicy, string inToken, string reason)
    {
        string url = _fixture.Provider.Url;
        _fixture.Policy = (JwtPolicy)_fixture.Policy with { Issuer = url + inPolicy };

        string token = _fixture.Forge.Make(_fixture.Key, payload: claims => claims["iss"] = url + inToken);

        Assert.Equal(reason, await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task VerdictHoldsUntilExpiryAndSkew()
    {
        TokenVerdict verdict = await _fixture.DecideAsync(_fixture.Forge.Make(_fixture.Key));

        Assert.Equal(_fixture.Forge.Seconds(TimeSpan.FromMinutes(10)) + 60, verdict.ReusableUntil.ToUnixTimeSeconds());
    }

    public static TheoryData<string, string, string?> Claims => new()
    {
        { "wrong-issuer", "iss", "\"https://other.example\"" },
        { "wrong-issuer", "iss", null },
        { "wrong-audience", "aud", "\"https://other.example\"" },
        { "wrong-audience", "aud", "\"https://mcp.example.com/mcp/\"" },
        { "wrong-audience", "aud", "[\"a\",\"b\"]" },
        { "wrong-audience", "aud", null },
        { "admitted", "aud", "[\"a\",\"https://mcp.example.com/mcp\"]" },
        { "no-expiry", "exp", null },
        { "no-subject", "sub", null },
        { "no-subject", "sub", "42" },
        { "subject-unfit", "sub", "\"\"" },
        { "subject-unfit", "sub", "\"line\\nbreak\"" },
        { "not-an-access-token", "at_hash", "\"x\"" },
        { "not-an-access-token", "token_use", "\"id\"" },
        { "not-an-access-token", "typ", "\"ID\"" },
        { "not-an-access-token", "token_use", "\"refresh\"" },
        { "not-an-access-token", "token_usage", "\"refresh_token\"" },
        { "admitted", "typ", "\"Bearer\"" },
        { "admitted", "nonce", "\"x\"" },
    };

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task ClaimsAreChecked(string reason, string claim, string? value)
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => Set(payload, claim, value));

        Assert.Equal(reason, await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("exp", -59, "admitted")]
    [InlineData("exp", -61, "expired")]
    [InlineData("nbf", 59, "admitted")]
    [InlineData("nbf", 61, "not-yet-valid")]
    public async Task ClocksMayDifferByTheSkew(string claim, int secondsFromNow, string reason)
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => payload[claim] = _fixture.Forge.Seconds(TimeSpan.FromSeconds(secondsFromNow)));

        Assert.Equal(reason, await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task EarlyTokenIsAdmittedAsSoonAsItIsValid()
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => payload["nbf"] = _fixture.Forge.Seconds(TimeSpan.FromSeconds(63)));
        await _fixture.ReasonAsync(token);

        _fixture.Clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal("admitted", await _fixture.ReasonAsync(token));
    }

    /// <summary>RFC 7519 §2: a NumericDate may have a fraction.</summary>
    [Theory]
    [InlineData("exp", "4102444800.75", "admitted")]
    [InlineData("nbf", "1000.5", "admitted")]
    [InlineData("nbf", "null", "admitted")]
    [InlineData("iat", "\"yesterday\"", "admitted")]
    [InlineData("exp", "1000.5", "expired")]
    [InlineData("exp", "null", "no-expiry")]
    [InlineData("nbf", "1e300", "not-yet-valid")]
    [InlineData("exp", "\"4102444800\"", "malformed-payload")]
    public async Task TimesAreNumericDates(string claim, string value, string reason) =>
        Assert.Equal(reason, await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key, payload: payload => Set(payload, claim, value))));

    /// <summary>Amazon Cognito's access tokens have a client_id and no aud.</summary>
    [Theory]
    [InlineData(null, "client_id", "\"app\"", "admitted")]
    [InlineData(null, "azp", "\"app\"", "admitted")]
    [InlineData(null, "azp", "\"other\"", "client-not-allowed")]
    [InlineData(null, "client_id", "[\"app\"]", "client-not-allowed")]
    [InlineData(null, "jti", "\"app\"", "client-not-allowed")]
    [InlineData("\"https://mcp.example.com/mcp\"", "client_id", "\"app\"", "admitted")]
    [InlineData("\"https://mcp.example.com/mcp\"", "client_id", "\"other\"", "client-not-allowed")]
    [InlineData("\"https://other.example\"", "client_id", "\"app\"", "wrong-audience")]
    [InlineData("[]", "client_id", "\"app\"", "wrong-audience")]
    public async Task AllowedClientsAreCheckedBesideTheAudienceAndInPlaceOfAMissingOne(string? audience, string claim, string client, string reason)
    {
        _fixture.Policy = _fixture.Policy with { AllowedClients = ["another", "app"] };
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload =>
        {
            Set(payload, "aud", audience);
            Set(payload, claim, client);
        });

        Assert.Equal(reason, await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task ClientsThatDisagreeAreRefused()
    {
        _fixture.Policy = _fixture.Policy with { AllowedClients = ["app"] };
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload => (payload["client_id"], payload["azp"]) = ("app", "other"));

        Assert.Equal("client-not-allowed", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task TokenWithoutAudienceIsRefusedWhereNoClientsAreNamed()
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload =>
        {
            payload.Remove("aud");
            payload["client_id"] = "app";
        });

        Assert.Equal("wrong-audience", await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("at+jwt", "admitted")]
    [InlineData("application/AT+JWT", "admitted")]
    [InlineData("JWT", "admitted")]
    [InlineData(null, "admitted")]
    [InlineData("dpop+jwt", "not-an-access-token")]
    [InlineData("logout+jwt", "not-an-access-token")]
    [InlineData("secevent+jwt", "not-an-access-token")]
    public async Task TypeMustNotBeSomethingElses(string? type, string reason)
    {
        string token = _fixture.Forge.Make(_fixture.Key, header: header => Set(header, "typ", type is null ? null : $"\"{type}\""));

        Assert.Equal(reason, await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task MachineIsKnownByItsClientId()
    {
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload =>
        {
            payload.Remove("sub");
            payload["client_id"] = "batch-job";
        });

        Assert.Equal("batch-job", (await _fixture.DecideAsync(token)).Caller);
    }

    [Theory]
    [InlineData("scope", "\"mcp:read mcp:write\"", TokenVerdictKind.Admitted)]
    [InlineData("scope", "[\"mcp:read\",\"mcp:write\"]", TokenVerdictKind.Admitted)]
    [InlineData("scp", "[\"mcp:write\",\"mcp:read\"]", TokenVerdictKind.Admitted)]
    [InlineData("scp", "\"mcp:write mcp:read\"", TokenVerdictKind.Admitted)]
    [InlineData("scope", "\"mcp:read\"", TokenVerdictKind.InsufficientScope)]
    [InlineData("scope", "\"mcp:read mcp:writer\"", TokenVerdictKind.InsufficientScope)]
    [InlineData("scope", null, TokenVerdictKind.InsufficientScope)]
    public async Task RequiredScopesMustAllBeThere(string claim, string? value, TokenVerdictKind kind)
    {
        _fixture.Policy = _fixture.Policy with { RequiredScopes = ["mcp:read", "mcp:write"] };
        string token = _fixture.Forge.Make(_fixture.Key, payload: payload =>
        {
            payload.Remove("scope");
            Set(payload, claim, value);
        });

        Assert.Equal(kind, (await _fixture.DecideAsync(token)).Kind);
    }

    [Fact]
    public async Task AnyOfSeveralAudiencesWillDo()
    {
        _fixture.Policy = _fixture.Policy with { Audiences = ["another", TokenForge.Audience] };

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Forge.Make(_fixture.Key)));
    }

    private static TestKey KeyFor(string algorithm, string? id) => algorithm switch
    {
        "ES256" => TestKey.Curve(id, "P-256"),
        "ES384" => TestKey.Curve(id, "P-384"),
        "ES512" => TestKey.Curve(id, "P-521"),
        _ => TestKey.Rsa(id),
    };

    private static void Set(JsonObject claims, string name, string? json)
    {
        claims.Remove(name);
        if (json is not null)
        {
            claims[name] = JsonNode.Parse(json);
        }
    }
}
