using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class TokenPolicyTests
{
    private static readonly TokenPolicy Good = TokenPolicy.Oidc("https://login.example.com", "aud");

    public static TheoryData<string, TokenPolicy> Refused => new()
    {
        { nameof(TokenPolicy.Issuer), new TokenPolicy() },
        { nameof(TokenPolicy.Issuer), Good with { Issuer = "login.example.com" } },
        { nameof(TokenPolicy.Issuer), Good with { Issuer = "http://login.example.com" } },
        { nameof(TokenPolicy.Issuer), Good with { Issuer = "https://login.example.com?x=1" } },
        { nameof(TokenPolicy.JwksUri), Good with { JwksUri = new Uri("http://login.example.com/keys") } },
        { nameof(TokenPolicy.JwksUri), Good with { JwksUri = new Uri("/keys", UriKind.Relative) } },
        { nameof(TokenPolicy.IntrospectionUri), Good with { IntrospectionUri = new Uri("http://10.0.0.1/introspect") } },
        { nameof(TokenPolicy.ClientId), Good with { ClientSecret = "s3cret" } },
        { nameof(TokenPolicy.Audiences), new TokenPolicy { IntrospectionUri = new Uri("https://oauth2.googleapis.com/tokeninfo") } },
        { nameof(TokenPolicy.Audiences), Good with { Audiences = [""] } },
        { nameof(TokenPolicy.AllowedClients), Good with { AllowedClients = ["app", ""] } },
        { nameof(TokenPolicy.Issuer), Good with { Issuer = "" } },
        { nameof(TokenPolicy.ClientId), Good with { ClientId = "" } },
        { nameof(TokenPolicy.ClientSecret), Good with { ClientId = "id", ClientSecret = "" } },
        { nameof(TokenPolicy.ResourceUrl), Good with { ResourceUrl = "" } },
        { nameof(TokenPolicy.ClientSecret), new TokenPolicy { IntrospectionUri = new Uri("https://api.github.com/applications/x/token") } },
        { nameof(TokenPolicy.ClockSkew), Good with { ClockSkew = TimeSpan.FromHours(1) } },
        { nameof(TokenPolicy.ClockSkew), Good with { ClockSkew = TimeSpan.FromSeconds(-1) } },
        { nameof(TokenPolicy.ResourceUrl), Good with { ResourceUrl = "mcp.example.com" } },
        { nameof(TokenPolicy.ResourceUrl), Good with { ResourceUrl = "https://mcp.example.com/#x" } },
        { nameof(TokenPolicy.ResourceUrl), Good with { ResourceUrl = "https://mcp.example.com/\"" } },
        { nameof(TokenPolicy.RequiredScopes), Good with { RequiredScopes = ["a b"] } },
        { nameof(TokenPolicy.AdvertisedScopes), Good with { AdvertisedScopes = ["\""] } },
        { nameof(TokenPolicy.Validator), Good with { Validator = new ScriptedValidator(_ => TokenVerdict.Invalid("x")) } },
    };

    public static TheoryData<TokenPolicy> Accepted => new()
    {
        Good,
        TokenPolicy.Oidc("http://localhost:5000/realms/x/", "aud"),
        TokenPolicy.Oidc("https://10.0.0.1", "aud"),
        TokenPolicy.Oidc("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "aud"),
        TokenPolicy.Oidc("https://login.example.com/common/v2.0", "aud"),
        Good with { AllowedClients = ["app"] },
        new TokenPolicy { JwksUri = new Uri("http://127.0.0.1:5000/keys") },
        TokenPolicy.Introspection(new Uri("https://login.example.com/introspect"), "id", "secret"),
        new TokenPolicy { IntrospectionUri = new Uri("https://oauth2.googleapis.com/tokeninfo"), Audiences = ["my-app"] },
        TokenPolicy.Custom(new ScriptedValidator(_ => TokenVerdict.Invalid("x"))),
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void WrongPolicyIsRefusedByTheNameOfItsProperty(string property, TokenPolicy policy)
    {
        var error = Assert.Throws<ArgumentException>(policy.Validate);

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
        var error = Assert.Throws<ArgumentException>((Good with { Issuer = issuer }).Validate);

        Assert.Equal(nameof(TokenPolicy.Issuer), error.ParamName);
        Assert.Contains("put the tenant's id in place of", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SecretIsNotPrinted() =>
        Assert.DoesNotContain("s3cret", (Good with { ClientId = "id", ClientSecret = "s3cret" }).ToString(), StringComparison.Ordinal);
}
