using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class OutgoingPolicyTests
{
    private static readonly Uri Secure = new("https://login.example/x");

    public static TheoryData<string, OutgoingPolicy> Wrong => new()
    {
        { "bearer token and the bearer token file exclude", new() { BearerToken = "a", BearerTokenFile = "b" } },
        { "bearer token must be one word", OutgoingPolicy.Bearer("a\r\nb") },
        { "issuer and the token URL exclude", new() { Issuer = "https://a.example", TokenUrl = Secure, AuthorizeUrl = Secure, ClientId = "c" } },
        { "authorize URL needs the token URL", new() { AuthorizeUrl = Secure } },
        { "token URL needs the authorize URL", new() { TokenUrl = Secure, ClientId = "c" } },
        { "need a client id", new() { TokenUrl = Secure, AuthorizeUrl = Secure } },
        { "issuer must be an https URL", new() { Issuer = "http://login.example" } },
        { "issuer must be an https URL", new() { Issuer = "login.example" } },
        { "client secret needs the client id", new() { ClientSecret = "s" } },
        { "secret and the client key exclude", new() { ClientId = "c", ClientSecret = "s", ClientKeyFile = "k" } },
        { "metadata URL must be an https URL with a path", new() { ClientMetadataUrl = "https://a.example/" } },
        { "client_credentials needs", new() { Grant = OutgoingGrant.ClientCredentials, ClientId = "c" } },
        { "jwt-bearer needs an assertion file", new() { Grant = OutgoingGrant.JwtBearer } },
        { "id-jag needs", new() { Grant = OutgoingGrant.IdentityAssertion, ClientId = "c" } },
        { "assertion file is for the grant jwt-bearer alone", new() { AssertionFile = "a" } },
        { "ID token file is for the grant id-jag alone", new() { IdTokenFile = "a" } },
        { "scope must be one word", new() { Scopes = ["a b"] } },
        { "resource must be an absolute URI", new() { Resource = "https://a.example/#b" } },
        { "callback port must lie", new() { CallbackPort = 70_000 } },
        { "sign-in timeout must lie", new() { SignInTimeout = TimeSpan.Zero } },
        { "store key must be 32 bytes", new() { StoreKey = "c2hvcnQ=" } },
        { "store key must be 32 bytes", new() { StoreKey = "" } },
        { "bearer token must be one word", OutgoingPolicy.Bearer("") },
        { "given and empty", OutgoingPolicy.BearerFile("") },
        { "given and empty", new() { ClientId = "" } },
        { "given and empty", new() { ClientId = "c", ClientSecret = "" } },
        { "given and empty", new() { ClientId = "c", ClientKeyFile = "" } },
        { "given and empty", new() { StorePath = "" } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void WhatCannotWorkIsNamed(string message, OutgoingPolicy policy)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(policy.Validate);

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingAtAllMeansDiscoverEverything()
    {
        OutgoingPolicy.OAuth().Validate();
    }

    [Fact]
    public void TheTextOfAPolicyHoldsNoSecret()
    {
        var policy = new OutgoingPolicy { BearerToken = "s3cret", ClientId = "c", ClientSecret = "s3cret", StoreKey = "s3cret" };

        Assert.DoesNotContain("s3cret", policy.ToString(), StringComparison.Ordinal);
    }
}
