using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class TokenPolicyTests
{
    private static readonly JwtPolicy Good = TokenPolicy.Oidc("https://login.example.com", "aud");
    private static readonly Uri Secure = new("https://login.example.com/introspect");
    private static readonly Uri Insecure = new("http://10.0.0.1/introspect");
    private static readonly TokenIntrospection Google = TokenIntrospection.Google(new Uri("https://oauth2.googleapis.com/tokeninfo"));
    private static readonly ITokenValidator Validator = new ScriptedValidator(_ => TokenVerdict.Invalid("x"));

    public static TheoryData<string, Func<TokenPolicy>> Refused => new()
    {
        { nameof(JwtPolicy.Issuer), () => Good with { Issuer = null } },
        { nameof(JwtPolicy.Issuer), () => Good with { Issuer = "login.example.com" } },
        { nameof(JwtPolicy.Issuer), () => Good with { Issuer = "http://login.example.com" } },
        { nameof(JwtPolicy.Issuer), () => Good with { Issuer = "https://login.example.com?x=1" } },
        { nameof(JwtPolicy.Issuer), () => new JwtPolicy("") },
        { nameof(JwtPolicy.JwksUri), () => Good with { JwksUri = new Uri("http://login.example.com/keys") } },
        { nameof(JwtPolicy.JwksUri), () => Good with { JwksUri = new Uri("/keys", UriKind.Relative) } },
        { nameof(JwtPolicy.JwksUri), () => new JwtPolicy(new Uri("http://login.example.com/keys")) },
        { "endpoint", () => TokenPolicy.Introspection(Insecure, "id", "secret") },
        { "endpoint", () => new IntrospectionPolicy(TokenIntrospection.At(Insecure)) },
        { "endpoint", () => new IntrospectionPolicy(TokenIntrospection.Google(Insecure)) },
        { "endpoint", () => new IntrospectionPolicy(TokenIntrospection.GitHub(Insecure, "id", "secret")) },
        { nameof(ClaimsPolicy.Audiences), () => new IntrospectionPolicy(Google) },
        { nameof(ClaimsPolicy.Audiences), () => new JwtPolicy("https://accounts.google.com") { OpaqueTokens = Google } },
        { nameof(ClaimsPolicy.Audiences), () => Good with { Audiences = [""] } },
        { nameof(ClaimsPolicy.AllowedClients), () => Good with { AllowedClients = ["app", ""] } },
        { nameof(JwtPolicy.Issuer), () => Good with { Issuer = "" } },
        { "clientId", () => TokenPolicy.Introspection(Secure, "", "s3cret") },
        { "clientSecret", () => TokenPolicy.Introspection(Secure, "id", "") },
        { "clientId", () => new IntrospectionPolicy(TokenIntrospection.GitHub(Secure, "", "s3cret")) },
        { "clientSecret", () => new IntrospectionPolicy(TokenIntrospection.GitHub(Secure, "id", "")) },
        { nameof(TokenPolicy.ResourceUrl), () => Good with { ResourceUrl = "" } },
        { nameof(ClaimsPolicy.ClockSkew), () => Good with { ClockSkew = TimeSpan.FromHours(1) } },
        { nameof(ClaimsPolicy.ClockSkew), () => Good with { ClockSkew = TimeSpan.FromSeconds(-1) } },
        { nameof(TokenPolicy.ResourceUrl), () => Good with { ResourceUrl = "mcp.example.com" } },
        { nameof(TokenPolicy.ResourceUrl), () => Good with { ResourceUrl = "https://mcp.example.com/#x" } },
        { nameof(TokenPolicy.ResourceUrl), () => Good with { ResourceUrl = "https://mcp.example.com/\"" } },
        { nameof(TokenPolicy.ResourceUrl), () => TokenPolicy.Custom(Validator) with { ResourceUrl = "mcp.example.com" } },
        { nameof(TokenPolicy.RequiredScopes), () => Good with { RequiredScopes = ["a b"] } },
        { nameof(TokenPolicy.AdvertisedScopes), () => Good with { AdvertisedScopes = ["\""] } },
    };

    public static TheoryData<TokenPolicy> Accepted => new()
    {
        Good,
        TokenPolicy.Oidc("http://localhost:5000/realms/x/", "aud"),
        TokenPolicy.Oidc("https://10.0.0.1", "aud"),
        TokenPolicy.Oidc("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "aud"),
        TokenPolicy.Oidc("https://login.example.com/common/v2.0", "aud"),
        Good with { AllowedClients = ["app"] },
        new JwtPolicy(new Uri("http://127.0.0.1:5000/keys")),
        TokenPolicy.Introspection(new Uri("https://login.example.com/introspect"), "id", "secret"),
        new IntrospectionPolicy(Google) { Audiences = ["my-app"] },
        new IntrospectionPolicy(Google) { AllowedClients = ["my-app"] },
        Good with { OpaqueTokens = Google },
        TokenPolicy.Custom(Validator),
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void WrongPolicyIsRefusedByTheNameOfItsProperty(string property, Func<TokenPolicy> make)
    {
        var error = Assert.Throws<ArgumentException>(() => make().Validate());

        Assert.Equal(property, error.ParamName);
    }

    [Theory]
    [MemberData(nameof(Accepted))]
    public void GoodPolicyIsAccepted(TokenPolicy policy) => policy.Validate();

    [Theory]
    [InlineData("https://login.microsoftonline.com/{tenantid}/v2.0")]
    [InlineData("https://login.microsoftonline.com/%7Btenantid%7D/v2.0")]
    [InlineData("https://login.microsoftonline.com/organizations/v2.0")]
    [InlineData("https://login.microsoftonline.com/common/v2.0")]
    [InlineData("https://login.microsoftonline.us/Consumers")]
    [InlineData("https://{tenant}.auth0.com/")]
    public void IssuerOfManyTenantsIsRefusedWithTheCure(string issuer)
    {
        var error = Assert.Throws<ArgumentException>(() => Good with { Issuer = issuer });

        Assert.Equal(nameof(JwtPolicy.Issuer), error.ParamName);
        Assert.Contains("put the tenant's id in place of", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpaqueTokensOfAnIssuerFollowItsRules()
    {
        JwtPolicy policy = Good with { OpaqueTokens = Google, AllowedClients = ["app"], RequiredScopes = ["mcp"], ClockSkew = TimeSpan.Zero };

        IntrospectionPolicy opaque = policy.ForOpaqueTokens!;

        Assert.Equal((policy.Issuer, policy.Audiences, policy.AllowedClients), (opaque.Issuer, opaque.Audiences, opaque.AllowedClients));
        Assert.Equal((policy.ClockSkew, policy.RequiredScopes), (opaque.ClockSkew, opaque.RequiredScopes));
    }

    [Fact]
    public void SecretIsNotPrinted()
    {
        var introspection = TokenIntrospection.At(new Uri("https://login.example.com/introspect"), "id", "s3cret");

        Assert.DoesNotContain("s3cret", (Good with { OpaqueTokens = introspection }).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", new IntrospectionPolicy(introspection).ToString(), StringComparison.Ordinal);
    }
}
