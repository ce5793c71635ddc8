using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Metadata that is there but cannot be used leads to a sentence that helps, and to no endpoint that nobody has named.</summary>
public sealed class UnusableMetadataTests
{
    private const string ResourcePlace = "/.well-known/oauth-protected-resource/mcp";
    private const string ServerPlace = "/.well-known/oauth-authorization-server";

    [Theory]
    [InlineData(200, """{"issuer":"https://another.example","token_endpoint":"https://another.example/token"}""", "says issuer https://another.example where")]
    [InlineData(200, """{"issuer":"https://login.example/{tenantid}/v2.0"}""", "the braces stand for a tenant's id: give the issuer of one tenant")]
    [InlineData(200, "<html>welcome</html>", "200, but the body is not the JSON document that was expected")]
    [InlineData(301, "", "301, a redirect, which is not followed")]
    [InlineData(401, "", "/.well-known/oauth-authorization-server: 401")]
    [InlineData(403, "", "/.well-known/oauth-authorization-server: 403")]
    public async Task NothingIsAssumedWhereAPlaceAnsweredOtherwiseThanThatThereIsNothing(int status, string body, string line)
    {
        await using Rig rig = await Rig.StartAsync();
        PublishNoResource(rig.Server);
        rig.Server.Overrides[ServerPlace] = http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "https://elsewhere.example/";
            return http.Response.WriteAsync(body);
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int answered, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, answered);
        Assert.Contains(line, message, StringComparison.Ordinal);
        Assert.EndsWith("Name the authorization server yourself: by its issuer (OAuthPolicy.Server), or by its endpoints and a client id.", message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Registrations);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task WhatWasAssumedIsSaidWhereItDoesNotHold()
    {
        await using Rig rig = await Rig.StartAsync();
        PublishNoResource(rig.Server);
        rig.Server.Overrides[ServerPlace] = NotFoundAsync;
        rig.Server.Overrides["/register"] = NotFoundAsync;
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains("The authorization server publishes no metadata, so its endpoints were guessed; set OAuthPolicy.Server to name it. Tried: GET ", message, StringComparison.Ordinal);
        Assert.Contains($"{ServerPlace}: 404", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThePlaceThatHasTheServersPathIsAskedFirst()
    {
        await using Rig rig = await Rig.StartAsync();
        PublishNoResource(rig.Server);
        rig.Server.Overrides[$"{ServerPlace}/mcp"] = http => http.Response.WriteAsJsonAsync(new
        {
            issuer = rig.Server.Target.OriginalString,
            authorization_endpoint = $"{rig.Server.Origin}/authorize",
            token_endpoint = $"{rig.Server.Origin}/token",
            registration_endpoint = $"{rig.Server.Origin}/register",
            code_challenge_methods_supported = new[] { "S256" },
        });
        rig.Server.EditCallback = back => back["iss"] = rig.Server.Target.OriginalString;
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public async Task MembersOfTheWrongKindAreIgnored()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata =>
        {
            metadata["scopes_supported"] = 7;
            metadata["revocation_endpoint"] = new JsonArray("x");
            metadata["jwks_uri"] = false;
            metadata["token_endpoint_auth_methods_supported"] = new JsonObject();
            metadata["code_challenge_methods_supported"] = new JsonArray(1, null, "S256");
        };
        rig.Server.EditResource = resource =>
        {
            resource["scopes_supported"] = true;
            resource["bearer_methods_supported"] = "header";
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(rig.Server.Target.OriginalString, rig.Server.Authorizations.Single()["resource"]);
    }

    [Theory]
    [InlineData("\"true\"", false)]
    [InlineData("\"TRUE\"", false)]
    [InlineData("1", false)]
    [InlineData("{}", false)]
    [InlineData("\"false\"", true)]
    [InlineData("false", true)]
    [InlineData("null", true)]
    public async Task AnAnnouncementOfTheIssuerHoldsUnlessItIsAClearNo(string announced, bool mayBeMissing)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["authorization_response_iss_parameter_supported"] = JsonNode.Parse(announced);
        rig.Server.EditCallback = back => back.Remove("iss");
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(mayBeMissing ? 200 : 503, status);
        Assert.Equal(!mayBeMissing, body.Contains("names the issuer (none)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("\"plain\"")]
    public async Task ChallengeMethodsThatCannotBeReadOfferNothingWhoeverNamesTheServer(string methods)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["code_challenge_methods_supported"] = JsonNode.Parse(methods);
        OAuthPolicy policy = Rig.Policy with { Server = OAuthServer.FromIssuer(rig.Server.Origin) };

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => rig.ProxyAsync(policy, rig.Server.Target));

        Assert.Contains("does not offer PKCE with S256", refused.Message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AServerThatIsSilentAboutPkceIsNamedWithTheOptionThatVouchesForIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata.Remove("code_challenge_methods_supported");
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"confirm that by naming the server: OAuthPolicy.Server {rig.Server.Origin}. The proxy always uses PKCE.", body, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AServerThatTheOperatorVouchesForIsStillSentAChallenge()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata.Remove("code_challenge_methods_supported");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Server = OAuthServer.FromIssuer(rig.Server.Origin) }, rig.Server.Target);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal("S256", rig.Server.Authorizations.Single()["code_challenge_method"]);
        Assert.InRange(rig.Server.TokenRequests.Single()["code_verifier"].Length, 43, 128);
    }

    [Fact]
    public async Task AServerThatCannotBeReachedIsNotReplacedByTheNext()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["authorization_servers"] = new JsonArray($"{rig.Server.Origin}/away", rig.Server.Origin);
        rig.Server.Overrides[$"{ServerPlace}/away"] = http =>
        {
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"{ServerPlace}/away: 503", message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AServerThatMustNotBeAskedIsSkippedAndNamed()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["authorization_servers"] = new JsonArray("http://login.example", rig.Server.Origin);
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Contains(rig.Browser.Lines, line => line.Contains("issuer http://login.example: http://login.example is not https", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ATokenEndpointThatIsNoWholeUrlIsNamed()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["token_endpoint"] = "token";
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"{ServerPlace} names a token_endpoint that is not an absolute URL", message, StringComparison.Ordinal);
    }

    /// <summary>The framework takes a path for the URL of a file, and a client's error for that says nothing of the metadata.</summary>
    [Theory]
    [InlineData("token_endpoint", "/token", "by its endpoints and a client id")]
    [InlineData("authorization_endpoint", "/authorize", "set its endpoints and a client id by hand (OAuthPolicy.Server)")]
    [InlineData("authorization_endpoint", "authorize", "set its endpoints and a client id by hand (OAuthPolicy.Server)")]
    [InlineData("registration_endpoint", "/register", "register a client there by hand and give its client id (and secret): KnownClient.Id.")]
    [InlineData("registration_endpoint", "register", "register a client there by hand and give its client id (and secret): KnownClient.Id.")]
    public async Task ARelativeEndpointIsSaidWithWhereItStandsAndWhatWouldBeRight(string member, string value, string next)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata[member] = value;
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains(
            $" names a {member} that is not an absolute URL: {value}. It must begin with a scheme and a host, such as {rig.Server.Origin}/{value.TrimStart('/')}",
            message,
            StringComparison.Ordinal);
        Assert.Contains(ServerPlace, message, StringComparison.Ordinal);
        Assert.Contains(next, message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ARelativeDeviceEndpointIsSaidWithAnotherGrant()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["device_authorization_endpoint"] = "/device";
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.DeviceCode() });

        (int status, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"a device_authorization_endpoint that is not an absolute URL: /device. ", message, StringComparison.Ordinal);
        Assert.Contains("use another grant (OAuthPolicy.Grant)", message, StringComparison.Ordinal);
    }

    /// <summary>The sign-in needs no keys, so it goes well; the log says why there is no ID token.</summary>
    [Fact]
    public async Task RelativeKeysAreSaidWhereTheIdTokenIsIgnored()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["jwks_uri"] = "/keys";
        rig.Server.EditTokens = tokens => tokens["id_token"] = "a.b.c";
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Scopes = ["openid"] });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Contains(rig.Browser.Lines, line => line.Contains("names a jwks_uri that is not an absolute URL: /keys", StringComparison.Ordinal));
    }

    private static void PublishNoResource(SignInServer server) => server.Overrides[ResourcePlace] = NotFoundAsync;

    private static Task NotFoundAsync(HttpContext http)
    {
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
