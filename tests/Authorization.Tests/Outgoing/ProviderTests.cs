using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Grants;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>What is conceded to real providers, and what stays refused beside each concession.</summary>
public sealed class ProviderTests
{
    private static readonly OAuthPolicy SlackLike = Rig.Policy with { Grant = Rig.WithBrowser with { ScopeParameter = "user_scope" } };

    [Fact]
    public async Task AResourceThatIsNotToBeSentIsSentNowhereAndThePublishedScopesStay()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["scopes_supported"] = new JsonArray("read", "write");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Resource = OAuthPolicy.NoResource });
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        rig.Server.RevokeAll();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal("read write", rig.Server.Authorizations.Single()["scope"]);
        Assert.DoesNotContain("resource", rig.Server.Authorizations.Single().Keys);
        Assert.Equal(["authorization_code", "refresh_token"], rig.Server.TokenRequests.Select(request => request["grant_type"]));
        Assert.All(rig.Server.TokenRequests, request => Assert.DoesNotContain("resource", request.Keys));
    }

    [Theory]
    [InlineData("https://other.example/mcp")]
    [InlineData(OAuthPolicy.NoResource)]
    public async Task AResourceAndAServerOfTheOperatorsKeepThePublishedScopes(string resource)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = document => document["scopes_supported"] = new JsonArray("read");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Server = OAuthServer.FromIssuer(rig.Server.Origin), Resource = resource }, rig.Server.Target);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal("read", rig.Server.Authorizations.Single()["scope"]);
        Assert.Equal(resource is OAuthPolicy.NoResource ? null : resource, rig.Server.Authorizations.Single().GetValueOrDefault("resource"));
    }

    [Fact]
    public Task ADocumentOfAnotherResourceIsRefusedWhereNoneIsToBeSentToo() => IsRefused(
        server => server.EditResource = resource => resource["resource"] = "https://other.example/mcp",
        "describes the resource https://other.example/mcp",
        Rig.Policy with { Resource = OAuthPolicy.NoResource },
        authorizations: 0);

    [Theory]
    [InlineData(null)]
    [InlineData("not a token")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUifQ.")]
    public async Task AnIdTokenThatIsMissingOrWrongEndsNoSignInThatNeedsNone(string? idToken)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["jwks_uri"] = $"{rig.Server.Origin}/keys";
        rig.Server.EditTokens = tokens => tokens["id_token"] = idToken;
        rig.Server.Overrides["/keys"] = http => http.Response.WriteAsync("""{"keys":[]}""");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Scopes = ["openid"] });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Contains(rig.Browser.Lines, line => line.Contains("is ignored; the access token works without it.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://no-such-host.invalid/keys")]
    [InlineData("not a url")]
    public async Task KeysThatCannotBeReadEndNoSignIn(string keys)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["jwks_uri"] = keys;
        rig.Server.EditTokens = tokens => tokens["id_token"] = "a.b.c";
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Scopes = ["openid"] });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public Task AnAnswerOfAnotherIssuerIsRefusedHoweverGoodItsIdToken() => IsRefused(
        server => server.EditCallback = back => back["iss"] = "https://evil.example",
        "names the issuer https://evil.example",
        Rig.Policy with { Scopes = ["openid"] });

    [Fact]
    public async Task ThePersonsTokenIsTakenFromWhereItLiesForTheScopeParameterOfThatProvider()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens =>
        {
            if (rig.Server.TokenRequests.Count == 1)
            {
                JsonNode person = tokens.DeepClone();
                person["token_type"] = "user";
                tokens["access_token"] = "the-application's";
                tokens["token_type"] = "bot";
                tokens["authed_user"] = person;
            }
            else
            {
                tokens["token_type"] = "user";
            }
        };
        ForwardingProxy proxy = await rig.ProxyAsync(SlackLike);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        rig.Server.RevokeAll();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Single(rig.Server.Authorizations);
        Assert.Equal("refresh_token", rig.Server.TokenRequests.Last()["grant_type"]);
    }

    [Fact]
    public Task ATokenTypeOfThatProviderIsRefusedWithoutItsScopeParameter() => IsRefused(
        server => server.EditTokens = tokens => tokens["token_type"] = "user",
        "its token_type is user (as Slack writes it: set AuthorizationCode.ScopeParameter to user_scope)");

    [Fact]
    public Task APersonsMemberIsNotLookedIntoWithoutThatScopeParameter() => IsRefused(
        server => server.EditTokens = tokens =>
        {
            JsonNode person = tokens.DeepClone();
            tokens.Clear();
            tokens["authed_user"] = person;
        },
        "it holds no access_token");

    [Fact]
    public Task AnotherTokenTypeStaysRefusedWithIt() => IsRefused(
        server => server.EditTokens = tokens => tokens["token_type"] = "mac",
        "its token_type is mac",
        SlackLike);

    /// <summary>Conceded to an exchange, whose result is shown to another server; not to a sign-in, whose token goes to the resource.</summary>
    [Fact]
    public Task AnAssertionInThePlaceOfATokenIsRefused() => IsRefused(
        server => server.EditTokens = tokens =>
        {
            tokens["token_type"] = "N_A";
            tokens["issued_token_type"] = "urn:ietf:params:oauth:token-type:id-jag";
        },
        "its token_type is N_A");

    [Fact]
    public Task ATokenTypeThatRepeatsTheCodeIsNotRepeated() => IsRefused(
        server => server.EditTokens = tokens => tokens["token_type"] = server.TokenRequests.Last()["code"],
        "its token_type is (redacted)");

    [Fact]
    public Task AnUnboundTokenStaysRefusedWithIt() => IsRefused(
        server => server.EditTokens = tokens => tokens["token_type"] = "user",
        "an unbound one was given",
        SlackLike with { DPoP = true });

    [Theory]
    [InlineData(TokenEndpointAuthMethod.Automatic, true, false)]
    [InlineData(TokenEndpointAuthMethod.Basic, true, false)]
    [InlineData(TokenEndpointAuthMethod.Post, false, true)]
    [InlineData(TokenEndpointAuthMethod.None, false, false)]
    public async Task TheSecretIsSentAsTheOperatorSaysWhateverTheMetadataSays(TokenEndpointAuthMethod method, bool inField, bool inForm)
    {
        await using Rig rig = await Rig.StartAsync();
        var fields = new List<string>();
        rig.Server.Overrides["/token"] = http =>
        {
            fields.Add(http.Request.Headers.Authorization.ToString());
            return rig.Server.AnswerProperlyAsync(http);
        };
        OAuthGrant grant = Rig.WithBrowser with { Client = new KnownClient("me", ClientAuthentication.Secret("s3cret")) };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = grant, TokenEndpointAuthMethod = method });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        IReadOnlyDictionary<string, string> form = rig.Server.TokenRequests.Single();
        Assert.Equal((inField, inForm), (fields.Single().StartsWith("Basic ", StringComparison.Ordinal), form.GetValueOrDefault("client_secret") == "s3cret"));
        Assert.Equal(!inField, form.ContainsKey("client_id"));
    }

    [Fact]
    public async Task AClientThatRegistersItselfRegistersWithTheOperatorsMethodAndUsesIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/register"] = async http =>
        {
            rig.Server.Registrations.Enqueue(await new StreamReader(http.Request.Body).ReadToEndAsync());
            await http.Response.WriteAsJsonAsync(new { client_id = "mine", client_secret = "s3cret", token_endpoint_auth_method = "client_secret_basic" });
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal("client_secret_post", (string?)JsonNode.Parse(rig.Server.Registrations.Single())!["token_endpoint_auth_method"]);
        Assert.Equal("s3cret", rig.Server.TokenRequests.Single()["client_secret"]);
    }

    [Fact]
    public async Task AKeptCredentialIsRenewedInTheWayThatTheOperatorSaysNow()
    {
        using var folder = new TemporaryFolder();
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with
        {
            Grant = Rig.WithBrowser with { Client = new KnownClient("me", ClientAuthentication.Secret("s3cret")) },
            Store = new CredentialStoreFile(folder.File("credentials")),
        };
        await rig.ProxyAsync(policy, rig.Server.Target);
        await rig.DisposeProxiesAsync();
        rig.Clock.Advance(TimeSpan.FromHours(2));

        ForwardingProxy proxy = await rig.ProxyAsync(policy with { TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post }, rig.Server.Target);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal([null, "s3cret"], rig.Server.TokenRequests.Select(request => request.GetValueOrDefault("client_secret")));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded; charset=utf-8")]
    [InlineData("text/plain")]
    public async Task AFormEncodedAnswerIsRead(string mediaType)
    {
        await using Rig rig = await Rig.StartAsync();
        AnswerTokensAsForm(rig.Server, mediaType, extra: "");
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public Task AFormEncodedErrorIsRead() => IsRefused(
        server => server.Overrides["/token"] = http =>
        {
            http.Response.ContentType = "application/x-www-form-urlencoded";
            return http.Response.WriteAsync("error=incorrect_client_credentials&error_description=The+client_id+is+wrong.");
        },
        "refused: incorrect_client_credentials (The client_id is wrong.)");

    [Fact]
    public Task AFormEncodedAnswerThatSaysSomethingTwiceIsNoAnswer() => IsRefused(
        server => AnswerTokensAsForm(server, "application/x-www-form-urlencoded", "&access_token=another"),
        "something that is not an OAuth answer");

    [Fact]
    public Task ATokenWithALineBreakIsRefusedInAFormToo() => IsRefused(
        server => AnswerTokensAsForm(server, "application/x-www-form-urlencoded", "", token: "a%0D%0AInjected:%20b"),
        "characters that a header must not contain");

    [Theory]
    [InlineData("https://accounts.google.com/o/oauth2/v2/auth", "access_type=offline prompt=consent")]
    [InlineData("https://auth.atlassian.com/authorize", "audience=api.atlassian.com prompt=consent")]
    [InlineData("https://www.dropbox.com/oauth2/authorize", "token_access_type=offline")]
    [InlineData("https://accounts.google.com.evil.example/o/oauth2/v2/auth", "")]
    [InlineData("https://login.example.com/authorize", "")]
    public async Task AProvidersOwnParametersAreAddedAtItsEndpointAloneAndReplaceNothing(string endpoint, string added)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["authorization_endpoint"] = endpoint;
        rig.Browser.Road = url => new Uri($"{rig.Server.Origin}/authorize{url.Query}");
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        string[] ours = ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "resource"];
        IReadOnlyDictionary<string, string> query = rig.Server.Authorizations.Single();
        Assert.Equal(added, string.Join(' ', query.Where(pair => !ours.Contains(pair.Key)).Select(pair => $"{pair.Key}={pair.Value}")));
        Assert.Equal(ours.Length, query.Keys.Count(ours.Contains));
    }

    [Theory]
    [InlineData("https://www.strava.com/oauth/authorize", "read,write")]
    [InlineData("https://linear.app/oauth/authorize", "read,write")]
    [InlineData("https://linear.app/oauth/authorize/", "read write")]
    [InlineData("https://linear.app.evil.example/oauth/authorize", "read write")]
    [InlineData("https://login.example.com/authorize", "read write")]
    public async Task ScopesAreSeparatedAsAProviderWantsThemAtItsEndpointAlone(string endpoint, string scope)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["authorization_endpoint"] = endpoint;
        rig.Browser.Road = url => new Uri($"{rig.Server.Origin}/authorize{url.Query}");
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Scopes = ["read", "write"] });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        IReadOnlyDictionary<string, string> query = rig.Server.Authorizations.Single();
        Assert.Equal(scope, query["scope"]);
        Assert.Equal("S256", query["code_challenge_method"]);
        Assert.Equal(rig.Server.Target.OriginalString, query["resource"]);
    }

    [Theory]
    [InlineData("""{"error":{"message":"Used.","type":"OAuthException","code":100}}""", "refused: OAuthException (Used.). ")]
    [InlineData("""{"error":{"message":"Used.","code":100}}""", "refused: 100 (Used.). ")]
    [InlineData("""{"error":{"message":7}}""", "refused: error (7). ")]
    [InlineData("""{"message":"Bad Request","errors":[{"code":"invalid"}]}""", "something that is not an OAuth answer (Bad Request, [{\"code\":\"invalid\"}]). ")]
    [InlineData("""{"title":"Bad code","detail":"Used.\nTwice."}""", "something that is not an OAuth answer (Bad code, Used. Twice.). ")]
    [InlineData("""{"access_token":"none of it is shown"}""", "something that is not an OAuth answer. ")]
    public Task AnErrorThatIsNotOAuthsIsSaidInItsWords(string body, string message) => IsRefused(
        server => server.Overrides["/token"] = http =>
        {
            http.Response.StatusCode = 400;
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(body);
        },
        message);

    [Fact]
    public Task WordsOfAnErrorThatRepeatAPartOfTheCodeAreNotRepeated() => IsRefused(
        server => server.Overrides["/token"] = async http =>
        {
            string code = (await http.Request.ReadFormAsync())["code"].ToString();
            http.Response.StatusCode = 400;
            await http.Response.WriteAsJsonAsync(new { message = $"the code {code[..20]}... is over" });
        },
        "something that is not an OAuth answer (the code (redacted)... is over). ");

    [Fact]
    public void NoDialectTouchesWhatBindsASignIn() => Assert.DoesNotContain(
        AuthorizeDialect.All.SelectMany(dialect => dialect.Parameters),
        parameter => parameter.Name is "response_type" or "client_id" or "redirect_uri" or "state" or "nonce" or "resource" or "scope"
            || parameter.Name.StartsWith("code_", StringComparison.Ordinal));

    [Theory]
    [InlineData("invalid_target", "AADSTS9010010: The resource parameter doesn't match", "set OAuthPolicy.Resource to none.")]
    [InlineData("invalid_request", "AADSTS901002: The 'resource' request parameter is not supported.", "set OAuthPolicy.Resource to none.")]
    [InlineData("invalid_request", "AADSTS900144: The request body must contain the following parameter: 'scope'.", "set them with OAuthPolicy.Scopes.")]
    [InlineData("invalid_scope", "no such scope", "OAuthPolicy.Scopes sets others.")]
    [InlineData("unsupported_response_type", "no", "choose another with OAuthPolicy.Grant.")]
    [InlineData("server_error", "oops", "sign in again later.")]
    [InlineData("odd", "odd", "check the client, its redirect URI and the options of the sign-in.")]
    public async Task ARefusedSignInSaysWhatWasAskedWhereAndWhatHelps(string error, string description, string help)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["scopes_supported"] = new JsonArray("read");
        rig.Server.EditCallback = back =>
        {
            back.Remove("code");
            back["error"] = error;
            back["error_description"] = description;
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"{rig.Server.Origin}/authorize refused the sign-in: {error} ({description}). ", body, StringComparison.Ordinal);
        Assert.Contains(help, body, StringComparison.Ordinal);
        Assert.Contains($"The sign-in asked for the scopes read, the resource {rig.Server.Target}, by the client client-1 with http://localhost:", body, StringComparison.Ordinal);
        Assert.Contains($"The authorization server was found by: GET {rig.Server.Origin}/.well-known/oauth-protected-resource/mcp: 200", body, StringComparison.Ordinal);
    }

    private static void AnswerTokensAsForm(SignInServer server, string mediaType, string extra, string? token = null) => server.WriteTokens =
        tokens => (mediaType, $"access_token={token ?? (string)tokens["access_token"]!}&token_type=bearer&expires_in=3600{extra}");

    private static async Task IsRefused(Action<SignInServer> misbehave, string message, OAuthPolicy? policy = null, int authorizations = 1)
    {
        await using Rig rig = await Rig.StartAsync();
        misbehave(rig.Server);
        ForwardingProxy proxy = await rig.ProxyAsync(policy);

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains(message, body, StringComparison.Ordinal);
        Assert.Equal(authorizations, rig.Server.Authorizations.Count);
    }
}
