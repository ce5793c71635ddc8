using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Each wrong thing that a server can do, and what the user is told.</summary>
public class WrongServerTests
{
    [Fact]
    public Task AResourceOfAnotherOriginIsRefused() => IsRefused(
        server => server.EditResource = resource => resource["resource"] = "https://other.example/mcp",
        "describes the resource https://other.example/mcp, not http://127.0.0.1",
        authorizations: 0);

    [Fact]
    public Task AnIssuerThatIsNotTheOneAskedForIsNotUsed() => IsRefused(
        server => server.EditMetadata = metadata => metadata["issuer"] = "https://evil.example",
        "says issuer https://evil.example where",
        authorizations: 0);

    [Theory]
    [InlineData("[\"plain\"]")]
    [InlineData(null)]
    public Task AServerWithoutS256IsRefused(string? methods) => IsRefused(
        server => server.EditMetadata = metadata =>
        {
            metadata.Remove("code_challenge_methods_supported");
            if (methods is not null)
            {
                metadata["code_challenge_methods_supported"] = JsonNode.Parse(methods);
            }
        },
        "does not offer PKCE with S256",
        authorizations: 0);

    [Fact]
    public Task AnAnswerOfAnotherIssuerIsNotExchanged() => IsRefused(
        server => server.EditCallback = back => back["iss"] = "https://evil.example",
        "names the issuer https://evil.example");

    [Fact]
    public Task AnIssuerWithASlashIsAnotherIssuer() => IsRefused(
        server => server.EditCallback = back => back["iss"] += "/",
        "names the issuer http://127.0.0.1");

    [Fact]
    public Task AMissingIssuerIsNotExchangedWhereItWasAnnounced() => IsRefused(
        server => server.EditCallback = back => back.Remove("iss"),
        "names the issuer (none)");

    [Fact]
    public Task ARefusalIsToldWithItsReason() => IsRefused(
        server => server.EditCallback = back =>
        {
            back.Remove("code");
            back["error"] = "access_denied";
            back["error_description"] = "not you\r\nInjected: line";
        },
        "refused the sign-in: access_denied (not you  Injected: line). Sign in again with an account that may use the target.");

    [Fact]
    public Task AServerWithoutRegistrationAsksForAClientId() => IsRefused(
        server => server.EditMetadata = metadata => metadata.Remove("registration_endpoint"),
        "offers no dynamic registration; register a client there and give its client id",
        authorizations: 0);

    [Fact]
    public Task ARefusedRegistrationSaysWhatToDo() => IsRefused(
        server => server.Overrides["/register"] = http => AnswerAsync(http, 400, """{"error":"invalid_redirect_uri"}"""),
        "Register a client with the authorization server by hand",
        authorizations: 0);

    [Fact]
    public Task AnInsecureTokenEndpointIsNotAsked() => IsRefused(
        server => server.EditMetadata = metadata => metadata["token_endpoint"] = "http://login.example/token",
        "http://login.example is not https",
        authorizations: 0);

    [Fact]
    public async Task AnInsecureTokenEndpointIsSaidBeforeACodeIsToBeEntered()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["token_endpoint"] = "http://login.example/token";
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = new OAuthGrant.DeviceCode() });

        Assert.Contains("http://login.example is not https", (await rig.AskAsync(proxy)).Body, StringComparison.Ordinal);

        Assert.DoesNotContain(rig.Browser.Lines, line => line.Contains("Enter the code", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AClientKeyThatCannotSignIsSaidBeforeThePersonSignsIn()
    {
        await using Rig rig = await Rig.StartAsync();
        var client = new KnownClient("known", ClientAuthentication.KeyFile("/nowhere/key.pem"));
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { Client = client } });

        Assert.Contains("/nowhere/key.pem", (await rig.AskAsync(proxy)).Body, StringComparison.Ordinal);

        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public Task AnInsecureAuthorizationEndpointIsNotOpened() => IsRefused(
        server => server.EditMetadata = metadata => metadata["authorization_endpoint"] = "javascript:alert(1)",
        "is not an https URL",
        authorizations: 0);

    [Fact]
    public Task ATokenWithALineBreakIsRefused() => IsRefused(
        server => server.EditTokens = tokens => tokens["access_token"] = "a\r\nInjected: b",
        "characters that a header must not contain");

    [Fact]
    public Task AnUnknownTokenTypeIsRefused() => IsRefused(
        server => server.EditTokens = tokens => tokens["token_type"] = "mac",
        "its token_type is mac");

    [Fact]
    public Task AnAnswerWithoutATokenIsRefused() => IsRefused(
        server => server.EditTokens = tokens => tokens.Remove("access_token"),
        "it holds no access_token");

    [Fact]
    public Task APageInPlaceOfATokenIsTemporary() => IsRefused(
        server => server.Overrides["/token"] = http => AnswerAsync(http, 200, "<html>maintenance</html>"),
        "something that is not an OAuth answer");

    [Fact]
    public Task TenMegabytesInPlaceOfATokenAreNotRead() => IsRefused(
        server => server.Overrides["/token"] = http => AnswerAsync(http, 200, new string(' ', 10_000_000)),
        "sent more than 1024 KiB where a short answer was expected");

    [Fact]
    public Task APageInPlaceOfMetadataIsNamed() => IsRefused(
        server => server.EditResource = resource =>
        {
            string issuer = $"{server.Origin}/tenant";
            server.Overrides["/.well-known/oauth-authorization-server/tenant"] = http => AnswerAsync(http, 200, "<html>welcome</html>");
            resource["authorization_servers"] = new JsonArray(issuer);
        },
        "/.well-known/oauth-authorization-server/tenant: 200, but the body is not the JSON document that was expected",
        authorizations: 0);

    [Fact]
    public Task ARefusedScopeSaysWhatToCheck() => IsRefused(
        server => server.Overrides["/token"] = http => AnswerAsync(http, 400, """{"error":"invalid_scope"}"""),
        "refused: invalid_scope. Check the scopes that are asked for");

    [Fact]
    public async Task AServerThatSendsThePersonToAnotherServerGetsNoCode()
    {
        await using Rig rig = await Rig.StartAsync();
        await using SignInServer honest = await SignInServer.StartAsync(rig.Clock);
        rig.Server.EditMetadata = metadata => metadata["authorization_endpoint"] = $"{honest.Origin}/authorize";
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"names the issuer {honest.Origin} where {rig.Server.Origin} was expected", body, StringComparison.Ordinal);
        Assert.Empty(rig.Server.TokenRequests);
    }

    [Fact]
    public Task TenMegabytesOfMetadataAreNotRead() => IsRefused(
        server => server.Overrides["/.well-known/oauth-protected-resource/mcp"] = http => AnswerAsync(http, 200, new string(' ', 10_000_000)),
        "sent more than 1024 KiB",
        authorizations: 0);

    [Fact]
    public Task ARedirectToAnotherHostIsNotFollowed() => IsRefused(
        server =>
        {
            server.Overrides["/.well-known/oauth-protected-resource/mcp"] = http =>
            {
                http.Response.Redirect("http://169.254.169.254/latest/meta-data");
                return Task.CompletedTask;
            };
            server.Overrides["/.well-known/oauth-authorization-server"] = http => AnswerAsync(http, 503, "");
        },
        "oauth-protected-resource/mcp: 302, a redirect, which is not followed",
        authorizations: 0);

    [Fact]
    public async Task AWrongStateIsIgnoredAndTheSignInGoesOn()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        ForwardingProxy proxy = await rig.ProxyAsync();
        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);

        using var http = new HttpClient();
        string callback = System.Web.HttpUtility.ParseQueryString(rig.Browser.LastUrl!.Query)["redirect_uri"]!;
        using HttpResponseMessage stranger = await http.GetAsync($"{callback}?state=wrong&error=access_denied");
        using HttpResponseMessage stray = await http.GetAsync(new Uri(new Uri(callback), "/favicon.ico"));
        using HttpResponseMessage genuine = await http.GetAsync(rig.Browser.LastUrl);

        Assert.Equal((400, 404, 200), ((int)stranger.StatusCode, (int)stray.StatusCode, (int)genuine.StatusCode));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", genuine.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal(200, (await asked).Status);
    }

    private static async Task IsRefused(Action<SignInServer> misbehave, string message, int authorizations = 1)
    {
        await using Rig rig = await Rig.StartAsync();
        misbehave(rig.Server);
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains(message, body, StringComparison.Ordinal);
        Assert.Equal(authorizations, rig.Server.Authorizations.Count);
    }

    private static Task AnswerAsync(HttpContext http, int status, string body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html";
        return http.Response.WriteAsync(body);
    }
}
