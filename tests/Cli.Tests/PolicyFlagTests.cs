using System.Security.Cryptography;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Flags can say what the engine's types cannot; each such combination is refused by the name of a flag.</summary>
public sealed class PolicyFlagTests : IDisposable
{
    /// <summary>What any of the files holds: a client's key must be one, and the others take anything.</summary>
    private static readonly string Key = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportPkcs8PrivateKeyPem();

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--remote-auth-bearer-token \u00e9", "--remote-auth-bearer-token: The bearer token must be one word")]
    [InlineData("--remote-auth-authorize-url https://a/a", "--remote-auth-token-url: it must be given, since --remote-auth-authorize-url")]
    [InlineData("--remote-auth-token-url https://a/t --remote-auth-client-id c", "--remote-auth-authorize-url: If the token URL is given")]
    [InlineData("--remote-auth-token-url https://a/t --remote-auth-authorize-url https://a/a", "--remote-auth-client-id: If endpoints are given, a client id")]
    [InlineData("--remote-auth-token-url http://a/t --remote-auth-authorize-url https://a/a", "--remote-auth-token-url: The token URL must be an https URL")]
    [InlineData("--remote-auth-token-url https://a/t --remote-auth-authorize-url http://a/a", "--remote-auth-authorize-url: The authorize URL must be an https URL")]
    [InlineData(
        "--remote-auth-grant device_code --remote-auth-token-url https://a/t --remote-auth-client-id c", "--remote-auth-token-url: The grant device_code needs")]
    [InlineData("--remote-auth --remote-auth-client-secret s", "--remote-auth-client-id: it must be given, since a client secret")]
    [InlineData("--remote-auth --remote-auth-client-secret-file {file}", "--remote-auth-client-id: it must be given, since a client secret")]
    [InlineData("--remote-auth --remote-auth-client-key-file {file}", "--remote-auth-client-id: it must be given, since a client key")]
    [InlineData(
        "--remote-auth-client-id c --remote-auth-client-secret s --remote-auth-client-key-file {file}",
        "--remote-auth-client-key-file: a client secret is given too")]
    [InlineData("--remote-auth --remote-auth-client-auth body", "--remote-auth-client-auth must be auto, basic, post or none, not 'body'")]
    [InlineData("--remote-auth-client-id c --remote-auth-client-auth post", "--remote-auth-client-auth: It says how a client secret is sent, but the client has")]
    [InlineData(
        "--remote-auth-client-id c --remote-auth-client-key-file {file} --remote-auth-client-auth none",
        "--remote-auth-client-auth: it says how a client secret is sent, but a client key")]
    [InlineData(
        "--remote-auth-grant client_credentials --remote-auth-client-id c --remote-auth-client-secret s --remote-auth-client-auth none",
        "--remote-auth-client-auth: The method none sends no client secret")]
    [InlineData("--remote-auth --remote-auth-resource no-uri", "--remote-auth-resource: The resource must be an absolute URI without a fragment")]
    [InlineData("--remote-auth-assertion-file {file}", "--remote-auth-assertion-file: it works only with --remote-auth-grant jwt-bearer")]
    [InlineData("--remote-auth-id-token-file {file}", "--remote-auth-id-token-file: it works only with --remote-auth-grant id-jag")]
    [InlineData("--remote-auth --remote-auth-idp-token-url https://a", "--remote-auth-idp-token-url: it works only with --remote-auth-grant id-jag")]
    [InlineData("--remote-auth-grant client_credentials --remote-auth-client-id c", "--remote-auth-grant: the grant client_credentials needs")]
    [InlineData("--remote-auth-grant jwt-bearer --remote-auth", "--remote-auth-assertion-file: the grant jwt-bearer needs")]
    [InlineData("--remote-auth-grant id-jag --remote-auth-client-id c --remote-auth-id-token-file {file}", "--remote-auth-grant: the grant id-jag needs")]
    [InlineData(
        "--remote-auth-grant id-jag --remote-auth-client-id c --remote-auth-id-token-file {file} --remote-auth-idp-client-id i --remote-auth-idp-token-url http://a",
        "--remote-auth-idp-token-url: The identity provider's token URL must be an https URL")]
    [InlineData("--remote-auth-grant device_code --remote-auth --remote-auth-callback-port 70000", "--remote-auth-callback-port: The callback port must lie")]
    [InlineData("--oidc-issuer https://a --oidc-client-secret s", "--oidc-client-id: it must be given, since --oidc-client-secret is given")]
    [InlineData("--oidc-introspection-url https://api.github.com/applications/x/token", "--oidc-client-secret: GitHub's token check needs")]
    [InlineData("--oidc-introspection-url https://oauth2.googleapis.com/tokeninfo", "--oidc-audience: Google's tokeninfo accepts the tokens of every client")]
    [InlineData("--oidc-introspection-url http://10.0.0.1/introspect", "--oidc-introspection-url: the introspection endpoint must be an https URL")]
    [InlineData("--oidc-jwks-url http://10.0.0.1/keys", "--oidc-jwks-url: the URL of the key set must be an https URL")]
    [InlineData("--oidc-jwks-url https://a/keys --oidc-clock-skew 1h", "--oidc-clock-skew: the clock skew must lie")]
    [InlineData("--oidc-jwks-url https://a/keys --oidc-required-scopes a\"b", "--oidc-required-scopes: A scope must be one word")]
    [InlineData("--oidc-jwks-url https://a/keys --resource-url nonsense", "--resource-url: the resource URL must be an http or https URL")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-secret s",
        "--token-exchange-client-id: it must be given, since a client secret or key is given")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-id c --token-exchange-client-secret s --token-exchange-client-key-file {file}",
        "--token-exchange-client-key-file: a client secret is given too")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-id c --token-exchange-client-auth basic",
        "--token-exchange-client-auth: the method basic needs --token-exchange-client-id and a client secret")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-id c --token-exchange-client-auth private_key_jwt",
        "--token-exchange-client-auth: the method private_key_jwt needs")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-id c --token-exchange-client-secret s --token-exchange-client-auth none",
        "--token-exchange-client-auth: the method none sends no secret and no key")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-client-auth magic",
        "--token-exchange-client-auth must be auto, none, basic, post or private_key_jwt, not 'magic'")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant magic",
        "--token-exchange-variant must be rfc8693, entra-obo or jwt-bearer, not 'magic'")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant entra-obo",
        "--token-exchange-scopes: --token-exchange-variant entra-obo needs a scope")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant entra-obo --token-exchange-scopes s --token-exchange-audience a",
        "--token-exchange-audience: with --token-exchange-variant entra-obo leave it out")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant entra-obo --token-exchange-scopes s --token-exchange-resource https://r",
        "--token-exchange-resource: with --token-exchange-variant entra-obo leave it out")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant entra-obo --token-exchange-scopes s --token-exchange-subject-token-type access_token",
        "--token-exchange-subject-token-type: it works only with --token-exchange-variant rfc8693")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-variant jwt-bearer --token-exchange-grant-type urn:x:y",
        "--token-exchange-grant-type: it works only with --token-exchange-variant rfc8693")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-subject outgoing",
        "--token-exchange-subject: there is no sign-in at the target")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-actor outgoing",
        "--token-exchange-actor: there is no sign-in at the target")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-actor outgoing --remote-auth-bearer-token b",
        "--token-exchange-actor: the token of the sign-in at the target cannot be exchanged and act too; add --token-exchange-subject caller")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-subject caller --token-exchange-actor outgoing --token-exchange-actor-token-file {file} --remote-auth-bearer-token b",
        "--token-exchange-actor-token-file: only one actor token")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-subject-token-type saml",
        "--token-exchange-subject-token-type must be access_token, id_token, jwt or an absolute URI, not 'saml'")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-grant-type nonsense",
        "--token-exchange-grant-type: The grant type of an extension must be an absolute URI")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-resource nonsense",
        "--token-exchange-resource: A resource must be an absolute URI")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-scopes a\"b",
        "--token-exchange-scopes: A scope must be one word")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-param nonsense",
        "--token-exchange-param must be written NAME=VALUE")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-param subject_token=x",
        "--token-exchange-param: A parameter's name must be given and must not be one that the exchange sets itself")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-header-name Content-Length",
        "--token-exchange-header-name: Content-Length cannot be added")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-header-name mcp_session_id",
        "--token-exchange-header-name: mcp_session_id cannot be added")]
    [InlineData(
        "--token-exchange-url https://a/t --token-exchange-header-name a:b",
        "--token-exchange-header-name: A field's name must be one word")]
    [InlineData(
        "--token-exchange-url https://a/t --remote-auth --remote-auth-dpop",
        "--remote-auth-dpop: A token that is bound to a key (DPoP) cannot be exchanged")]
    public void CombinationThatCannotWorkIsRefusedByItsFlag(string flags, string expected)
    {
        UsageException refused = Assert.Throws<UsageException>(() => Read(flags));

        Assert.StartsWith(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BearerTokenBeatsEverythingElse() => Assert.Equal(
        OutgoingPolicy.Bearer("abc"), Read("--remote-auth-bearer-token abc --remote-auth-client-id c --remote-auth-client-key-file {file} --remote-auth-dpop").Outgoing);

    [Theory]
    [InlineData("device_code", "")]
    [InlineData("client_credentials", "--remote-auth-client-id c --remote-auth-client-key-file {file}")]
    [InlineData("jwt-bearer", "--remote-auth-assertion-file {file}")]
    [InlineData(
        "id-jag", "--remote-auth-client-id c --remote-auth-id-token-file {file} --remote-auth-idp-client-id i --remote-auth-idp-token-url https://idp.example/token")]
    public void EachGrantGetsItsOwnFlags(string grant, string flags)
    {
        string file = _folder.Write("file", Key);
        var expected = new Dictionary<string, OAuthGrant>
        {
            ["device_code"] = new OAuthGrant.DeviceCode(),
            ["client_credentials"] = new OAuthGrant.ClientCredentials("c", ClientAuthentication.KeyFile(file)),
            ["jwt-bearer"] = new OAuthGrant.JwtBearer(file),
            ["id-jag"] = new OAuthGrant.IdentityAssertion
            {
                Client = new KnownClient("c"),
                IdpTokenUrl = new Uri("https://idp.example/token"),
                IdpClientId = "i",
                IdTokenFile = file,
            },
        };

        var policy = Assert.IsType<OAuthPolicy>(Read($"--remote-auth --remote-auth-grant {grant} {flags}").Outgoing);

        Assert.Equal(expected[grant], policy.Grant);
    }

    [Theory]
    [InlineData("", TokenEndpointAuthMethod.Automatic)]
    [InlineData("--remote-auth-client-auth auto", TokenEndpointAuthMethod.Automatic)]
    [InlineData("--remote-auth-client-auth basic", TokenEndpointAuthMethod.Basic)]
    [InlineData("--remote-auth-client-auth post", TokenEndpointAuthMethod.Post)]
    [InlineData("--remote-auth-client-auth none", TokenEndpointAuthMethod.None)]
    public void WayToSendTheSecretIsTheOneGivenForAKnownClientAsForOneThatRegistersItself(string flags, TokenEndpointAuthMethod expected)
    {
        Assert.Equal(expected, Assert.IsType<OAuthPolicy>(Read($"--remote-auth {flags}").Outgoing).TokenEndpointAuthMethod);
        string known = $"--remote-auth-client-id c --remote-auth-client-secret s {flags}";
        Assert.Equal(expected, Assert.IsType<OAuthPolicy>(Read(known).Outgoing).TokenEndpointAuthMethod);
    }

    [Fact]
    public void ResourceThatIsNoneIsSentNowhere() =>
        Assert.Equal(OAuthPolicy.NoResource, Assert.IsType<OAuthPolicy>(Read("--remote-auth --remote-auth-resource none").Outgoing).Resource);

    [Fact]
    public void ProviderWithAFormOfItsOwnIsKnownByItsAddress()
    {
        var google = new Uri("https://oauth2.googleapis.com/tokeninfo");
        var github = new Uri("https://api.github.com/applications/c/token");
        var other = new Uri("https://login.example.com/tokeninfo");

        Assert.Equal(TokenIntrospection.Google(google), OpaqueTokens($"--oidc-introspection-url {google} --oidc-audience a"));
        Assert.Equal(TokenIntrospection.GitHub(github, "c", "s"), OpaqueTokens($"--oidc-introspection-url {github} --oidc-client-id c --oidc-client-secret s"));
        Assert.Equal(TokenIntrospection.At(other, "c"), OpaqueTokens($"--oidc-introspection-url {other} --oidc-client-id c"));
        Assert.Equal(TokenIntrospection.At(other), OpaqueTokens($"--oidc-introspection-url {other}"));
    }

    [Fact]
    public void EveryNameBehindAPropertyIsAFlag()
    {
        FlagTable flags = FlagTable.Of(typeof(ProxyOptions));

        Assert.All(
            FlagNames.Proxy.Concat(FlagNames.Incoming).Concat(FlagNames.Outgoing).Where(row => row.Value != FlagNames.StoreKeyVariable),
            row => Assert.Contains(flags.All, flag => $"--{flag.Name}" == row.Value));
    }

    private TokenIntrospection OpaqueTokens(string flags) => Assert.IsType<IntrospectionPolicy>(Read(flags).Incoming).OpaqueTokens;

    private (TokenPolicy? Incoming, OutgoingPolicy? Outgoing) Read(string flags)
    {
        string[] args = ["name", "--target-uri", "http://localhost", .. flags.Replace("{file}", _folder.Write("file", Key), StringComparison.Ordinal).Split(' ')];
        Settings settings = Settings.Read([.. args.Where(arg => arg.Length > 0)], FlagTable.Of(typeof(ProxyOptions)), _ => null);
        ProxyOptions options = OptionsBinder.Bind<ProxyOptions>(settings);
        return (IncomingFlags.ToPolicy(options, settings), ExchangeFlags.Around(OutgoingFlags.ToPolicy(options), options, settings));
    }
}
