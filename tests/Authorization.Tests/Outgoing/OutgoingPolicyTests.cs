using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class OutgoingPolicyTests
{
    private static readonly Uri Secure = new("https://login.example/x");
    private static readonly Uri Insecure = new("http://login.example/x");
    private static readonly OAuthServer Endpoints = OAuthServer.FromEndpoints(Secure, Secure);
    private static readonly KnownClient Known = new("c");

    /// <summary>The property or parameter at fault, what its message says, and what cannot work.</summary>
    public static TheoryData<string, string, Func<OutgoingPolicy>> Wrong => new()
    {
        { "token", "bearer token must be one word", () => OutgoingPolicy.Bearer("a\r\nb") },
        { "issuer", "issuer must be an https URL", () => new OAuthPolicy { Server = OAuthServer.FromIssuer("http://login.example") } },
        { "issuer", "issuer must be an https URL", () => new OAuthPolicy { Server = OAuthServer.FromIssuer("login.example") } },
        { "tokenUrl", "token URL must be an https URL", () => new OAuthPolicy { Server = OAuthServer.FromEndpoints(Insecure, Secure) } },
        { "authorizeUrl", "authorize URL must be an https URL", () => new OAuthPolicy { Server = OAuthServer.FromEndpoints(Secure, Insecure) } },
        { "AuthorizeUrl", "the authorize URL must be given too", () => With(OAuthServer.FromEndpoints(Secure), new OAuthGrant.AuthorizationCode { Client = Known }) },
        { "Client", "a client id must be given too", () => With(Endpoints, new OAuthGrant.AuthorizationCode()) },
        { "Client", "a client id must be given too", () => With(Endpoints, new OAuthGrant.AuthorizationCode { Client = OAuthClient.Described("https://a.example/c") }) },
        { "Client", "a client id must be given too", () => With(Endpoints, new OAuthGrant.DeviceCode()) },
        { "Server", "device_code needs the issuer", () => With(Endpoints, new OAuthGrant.DeviceCode { Client = Known }) },
        { "metadataUrl", "must be an https URL with a path", () => WithClient(OAuthClient.Described("https://a.example/")) },
        { "IdpTokenUrl", "token URL must be an https URL", () => new OAuthPolicy { Grant = Assertion(Insecure) } },
        { "Scopes", "scope must be one word", () => new OAuthPolicy { Scopes = ["a b"] } },
        { "ScopeParameter", "scope parameter needs a name", () => new OAuthPolicy { Grant = new OAuthGrant.AuthorizationCode { ScopeParameter = "" } } },
        { "Resource", "resource must be an absolute URI", () => new OAuthPolicy { Resource = "https://a.example/#b" } },
        { "CallbackPort", "callback port must lie", () => new OAuthPolicy { Grant = new OAuthGrant.AuthorizationCode { CallbackPort = 70_000 } } },
        { "SignInTimeout", "sign-in timeout must lie", () => new OAuthPolicy { SignInTimeout = TimeSpan.Zero } },
        { "Key", "store key must be 32 bytes", () => new OAuthPolicy { Store = new CredentialStoreFile("x") { Key = "c2hvcnQ=" } } },
        { "Key", "store key must be 32 bytes", () => new OAuthPolicy { Store = new CredentialStoreFile("x") { Key = "" } } },
        { "token", "bearer token must be one word", () => OutgoingPolicy.Bearer("") },
        { "path", "given and empty", () => OutgoingPolicy.BearerFile("") },
        { "Id", "given and empty", () => WithClient(new KnownClient("")) },
        { "Id", "given and empty", () => WithClient(Known with { Id = "" }) },
        { "secret", "given and empty", () => WithClient(new KnownClient("c", ClientAuthentication.Secret(""))) },
        { "path", "given and empty", () => WithClient(new KnownClient("c", ClientAuthentication.KeyFile(""))) },
        { "ClientId", "given and empty", () => new OAuthPolicy { Grant = new OAuthGrant.ClientCredentials("", ClientAuthentication.Secret("s")) } },
        { "AssertionFile", "given and empty", () => new OAuthPolicy { Grant = new OAuthGrant.JwtBearer("") } },
        { "IdpClientId", "given and empty", () => new OAuthPolicy { Grant = Assertion(Secure) with { IdpClientId = "" } } },
        { "IdTokenFile", "given and empty", () => new OAuthPolicy { Grant = Assertion(Secure) with { IdTokenFile = "" } } },
        { "Path", "given and empty", () => new OAuthPolicy { Store = new CredentialStoreFile("") } },
    };

    public static TheoryData<OutgoingPolicy> Right =>
    [
        OutgoingPolicy.OAuth(),
        With(Endpoints, new OAuthGrant.AuthorizationCode { Client = Known }),
        With(OAuthServer.FromEndpoints(Secure), new OAuthGrant.ClientCredentials("c", ClientAuthentication.Secret("s"))),
        With(OAuthServer.FromEndpoints(Secure), new OAuthGrant.JwtBearer("file")),
        With(OAuthServer.FromEndpoints(Secure), Assertion(Secure)),
        With(OAuthServer.FromIssuer("http://localhost:5000"), new OAuthGrant.DeviceCode()),
        new OAuthPolicy { SignInTimeout = TimeSpan.FromSeconds(1) },
        new OAuthPolicy { SignInTimeout = TimeSpan.FromHours(1) },
    ];

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void WhatCannotWorkIsNamed(string name, string message, Func<OutgoingPolicy> make)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => make().Validate());

        Assert.Equal(name, refused.ParamName);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Right), DisableDiscoveryEnumeration = true)]
    public void WhatCanWorkIsAccepted(OutgoingPolicy policy) => policy.Validate();

    [Fact]
    public void AValueIsRefusedWhereItIsSet() =>
        Assert.Throws<ArgumentException>(() => Rig.Policy with { Resource = "nonsense" });

    [Theory]
    [MemberData(nameof(Secretive), DisableDiscoveryEnumeration = true)]
    public void TheTextOfAPolicyHoldsNoSecret(object policy) => Assert.DoesNotContain("s3cret", policy.ToString(), StringComparison.Ordinal);

    public static TheoryData<object> Secretive
    {
        get
        {
            var known = new KnownClient("c", ClientAuthentication.Secret("s3cret"));
            var store = new CredentialStoreFile("x") { Key = Convert.ToBase64String("s3cret-s3cret-s3cret-s3cret-s3cr"u8) };
            return
            [
                OutgoingPolicy.Bearer("s3cret"),
                known,
                store,
                new OAuthGrant.ClientCredentials("c", known.Authentication!),
                With(OAuthServer.Discovered, new OAuthGrant.AuthorizationCode { Client = known }) with { Store = store },
            ];
        }
    }

    private static OAuthPolicy With(OAuthServer server, OAuthGrant grant) => new() { Server = server, Grant = grant };

    private static OAuthPolicy WithClient(OAuthClient client) => With(OAuthServer.Discovered, new OAuthGrant.AuthorizationCode { Client = client });

    private static OAuthGrant.IdentityAssertion Assertion(Uri provider) =>
        new() { Client = Known, IdpTokenUrl = provider, IdpClientId = "i", IdTokenFile = "file" };
}
