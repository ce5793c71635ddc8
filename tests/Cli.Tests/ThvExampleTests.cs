using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Every example of <c>thv proxy</c>'s documentation, with the command's name exchanged and this machine's servers in the place of others.</summary>
/// <remarks>The command lines stand as a shell reads them. To add one: a row, and what it has to do, as one of <see cref="Work"/>.</remarks>
public sealed class ThvExampleTests : IAsyncLifetime, IDisposable
{
    private const string ClientSecret = "s3cret-of-the-client";
    private const string Audience = "my-audience";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private SignInServer _server = null!;
    private OpenUpstream _upstream = null!;

    /// <summary>What an example is there for.</summary>
    public enum Work
    {
        /// <summary>Requests reach the target as they are.</summary>
        Forwards,

        /// <summary>A person signs in, and requests reach the target with the token of that.</summary>
        SignsIn,

        /// <summary>As <see cref="SignsIn"/>, with the client of the example and its secret.</summary>
        SignsInWithSecret,

        /// <summary>As <see cref="SignsIn"/>, with a client that the proxy has registered.</summary>
        SignsInRegistered,

        /// <summary>Only who has a token of the issuer gets through.</summary>
        Protects,

        /// <summary>Requests reach the target with the fields of the example, whose secrets are stored.</summary>
        AddsFields,

        /// <summary>Requests reach the target with what the caller's token is exchanged for.</summary>
        ExchangesCallers,

        /// <summary>As <see cref="ExchangesCallers"/>, and only who has a token of the issuer gets through.</summary>
        ProtectsAndExchanges,

        /// <summary>A person signs in, and requests reach the target with what the token of that is exchanged for.</summary>
        ExchangesLogins,
    }

    public static TheoryData<string, Work> Examples => new()
    {
        { "thv proxy my-server --target-uri http://localhost:8080", Work.Forwards },
        {
            """
            thv proxy my-server --target-uri https://api.example.com \
              --remote-auth --remote-auth-issuer https://auth.example.com \
              --remote-auth-client-id my-client-id \
              --remote-auth-client-secret-file /path/to/secret
            """,
            Work.SignsInWithSecret
        },
        {
            """
            thv proxy my-server --target-uri https://api.example.com \
              --remote-auth \
              --remote-auth-authorize-url https://auth.example.com/oauth/authorize \
              --remote-auth-token-url https://auth.example.com/oauth/token \
              --remote-auth-client-id my-client-id \
              --remote-auth-client-secret-file /path/to/secret
            """,
            Work.SignsInWithSecret
        },
        {
            """
            thv proxy my-server --target-uri http://localhost:8080 \
              --oidc-issuer https://auth.example.com \
              --oidc-audience my-audience
            """,
            Work.Protects
        },
        {
            """
            thv proxy my-server --target-uri https://protected-api.com \
              --remote-auth-client-id my-client-id
            """,
            Work.SignsIn
        },
        {
            """
            thv proxy my-server --target-uri https://protected-api.com \
              --remote-auth --remote-auth-issuer https://auth.example.com
            """,
            Work.SignsInRegistered
        },
        {
            """thv proxy my-server --target-uri https://mcp.example.com --remote-forward-headers "X-Custom-Header=value" --remote-forward-headers "X-API-Key=secret" """,
            Work.AddsFields
        },
        {
            """
            thv proxy my-server --target-uri http://api.example.com \
              --remote-forward-headers "X-Tenant-ID=tenant123" \
              --remote-forward-headers "X-Custom-Header=custom-value"
            """,
            Work.AddsFields
        },
        {
            """
            thv proxy my-server --target-uri https://mcp.example.com \
              --remote-forward-headers "X-Tenant-ID=tenant123" \
              --remote-forward-headers-secret "X-API-Key=my-api-key"
            """,
            Work.AddsFields
        },

        // The documentation has flags of token exchange, and no example of them.
        {
            """
            thv proxy my-server --target-uri http://localhost:8080 \
              --token-exchange-url https://auth.example.com/oauth/token \
              --token-exchange-client-id my-client-id \
              --token-exchange-client-secret-file /path/to/secret \
              --token-exchange-audience backend \
              --token-exchange-scopes read,write
            """,
            Work.ExchangesCallers
        },
        {
            """
            thv proxy my-server --target-uri http://localhost:8080 \
              --oidc-issuer https://auth.example.com \
              --oidc-audience my-audience \
              --token-exchange-url https://auth.example.com/oauth/token \
              --token-exchange-subject-token-type urn:ietf:params:oauth:token-type:access_token \
              --token-exchange-header-name X-Backend-Token
            """,
            Work.ProtectsAndExchanges
        },
        {
            """
            thv proxy my-server --target-uri https://api.example.com \
              --remote-auth --remote-auth-issuer https://auth.example.com \
              --remote-auth-client-id my-client-id \
              --remote-auth-client-secret-file /path/to/secret \
              --token-exchange-url https://auth.example.com/oauth/token \
              --token-exchange-client-id my-client-id \
              --token-exchange-client-secret-file /path/to/secret \
              --token-exchange-subject-token-type access_token
            """,
            Work.ExchangesLogins
        },
    };

    public async Task InitializeAsync()
    {
        _server = await SignInServer.StartAsync(TimeProvider.System);
        _upstream = await OpenUpstream.StartAsync();
        _server.EditMetadata = metadata => metadata["jwks_uri"] = $"{_server.Origin}/jwks";
        _server.Overrides["/jwks"] = http => http.Response.WriteAsync(KeySet());
        _server.Overrides["/oauth/authorize"] = http => ElsewhereAsync(http, "/authorize");
        _server.Overrides["/oauth/token"] = http => ElsewhereAsync(http, "/token");
    }

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        await _server.DisposeAsync();
    }

    public void Dispose()
    {
        _key.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task EveryExampleStartsAndDoesItsWork(string example, Work work)
    {
        await Command.RunWithInputAsync("s3cret-of-the-store"u8.ToArray(), ["secret", "set", "my-api-key"], Environment());

        await using Command command = Command.StartAsShell(OnThisMachine(example, work), Environment());
        var address = new Uri($"http://127.0.0.1:{(await command.LineAsync("on port")).Split("on port ")[1].Split(' ')[0]}/mcp");

        switch (work)
        {
            case Work.Forwards:
                Assert.Equal(HttpStatusCode.OK, await AskAsync(address, token: null));
                Assert.Single(_upstream.Requests);
                break;
            case Work.Protects:
                Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(address, token: null));
                Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(address, Token("another-audience")));
                Assert.Equal(HttpStatusCode.OK, await AskAsync(address, Token(Audience)));
                Assert.DoesNotContain("Authorization", Assert.Single(_upstream.Requests).Keys);
                break;
            case Work.AddsFields:
                Assert.Equal(HttpStatusCode.OK, await AskAsync(address, token: null));
                Assert.All(FieldsOf(example), field => Assert.Equal(field.Value, _upstream.Requests.Single()[field.Name]));
                break;
            case Work.ExchangesCallers or Work.ProtectsAndExchanges or Work.ExchangesLogins:
                await ExpectExchangeAsync(address, example, work);
                break;
            default:
                Assert.Equal(HttpStatusCode.OK, await AskAsync(address, token: null)); // the server takes its own token alone
                string client = work is Work.SignsInRegistered ? "client-1" : "my-client-id";
                Assert.Equal(client, Assert.Single(_server.Authorizations)["client_id"]);
                Assert.Equal(work is Work.SignsInRegistered ? 1 : 0, _server.Registrations.Count);
                Assert.Equal(work is Work.SignsInWithSecret, _server.Secrets.Contains(Convert.ToBase64String(Encoding.ASCII.GetBytes($"my-client-id:{ClientSecret}"))));
                break;
        }
    }

    private async Task ExpectExchangeAsync(Uri address, string example, Work work)
    {
        string callers = work is Work.ProtectsAndExchanges ? Token(Audience) : "the-callers-token";
        if (work is Work.ProtectsAndExchanges)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(address, Token("another-audience")));
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync(address, callers));

        IReadOnlyDictionary<string, string> exchange = _server.TokenRequests.Last();
        Assert.Equal("urn:ietf:params:oauth:grant-type:token-exchange", exchange["grant_type"]);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", exchange["subject_token_type"]);
        Assert.Equal(work is not Work.ExchangesLogins, exchange["subject_token"] == callers);
        Assert.Equal(work is Work.ExchangesLogins, _server.Secrets.Contains(exchange["subject_token"]) && exchange["subject_token"].StartsWith("access-", StringComparison.Ordinal));
        Assert.Equal(ValueIn(example, "--token-exchange-audience"), exchange.GetValueOrDefault("audience"));
        Assert.Equal(ValueIn(example, "--token-exchange-scopes")?.Replace(',', ' '), exchange.GetValueOrDefault("scope"));
        bool hasSecret = ValueIn(example, "--token-exchange-client-secret-file") is not null;
        Assert.Equal(hasSecret, _server.Secrets.Contains(Convert.ToBase64String(Encoding.ASCII.GetBytes($"my-client-id:{ClientSecret}"))));

        // Before, the proxy may have asked the target who protects it.
        IReadOnlyDictionary<string, string> sent = Assert.Single(_upstream.Requests, request => request.ContainsKey("Content-Length"));
        string field = ValueIn(example, "--token-exchange-header-name") ?? "Authorization";
        Assert.StartsWith("Bearer access-", sent[field], StringComparison.Ordinal);
        Assert.DoesNotContain(sent.Values, value => value.EndsWith(exchange["subject_token"], StringComparison.Ordinal));
        Assert.Equal(field is "Authorization", sent.ContainsKey("Authorization"));
    }

    /// <summary>What a command line gives a flag; null where it does not have it.</summary>
    private static string? ValueIn(string example, string flag) =>
        example.Split(flag + " ") is [_, var after] ? after.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[0] : null;

    /// <summary>The fields that a command line adds.</summary>
    private static IEnumerable<(string Name, string Value)> FieldsOf(string example) =>
        from part in example.Split("--remote-forward-headers")[1..]
        let pair = part.Split('"')[1].Split('=')
        select (pair[0], part.StartsWith("-secret", StringComparison.Ordinal) ? "s3cret-of-the-store" : pair[1]);

    /// <summary>As the server answers at another of its places.</summary>
    private Task ElsewhereAsync(HttpContext http, string path)
    {
        http.Request.Path = path;
        return _server.AnswerProperlyAsync(http);
    }

    /// <summary>The servers of an example are this test's: one that anybody may use, and one that wants a token and issues it.</summary>
    private string OnThisMachine(string example, Work work)
    {
        bool isOpen = work is not (Work.SignsIn or Work.SignsInWithSecret or Work.SignsInRegistered);
        string target = isOpen ? _upstream.Origin : _server.Origin;
        (string Theirs, string Ours)[] places =
        [
            ("http://localhost:8080", target), ("https://api.example.com", target), ("http://api.example.com", target),
            ("https://mcp.example.com", target), ("https://protected-api.com", target), ("https://auth.example.com", _server.Origin),
            ("/path/to/secret", _folder.Write("secret", ClientSecret + "\n")),
        ];
        return places.Aggregate(example, (text, place) => text.Replace(place.Theirs, place.Ours, StringComparison.Ordinal));
    }

    /// <summary>What a person would have: a browser, and places that no other test uses.</summary>
    private Dictionary<string, string> Environment() => new()
    {
        ["BROWSER"] = "curl --silent --location",
        ["MCPPROXYFAST_REMOTE_AUTH_STORE"] = _folder.File("credentials"),
        ["MCPPROXYFAST_REMOTE_AUTH_CALLBACK_PORT"] = "0",
    };

    private async Task<HttpStatusCode> AskAsync(Uri address, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent("{}") };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }

    private string KeySet()
    {
        ECParameters key = _key.ExportParameters(includePrivateParameters: false);
        var entry = new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["kid"] = "k",
            ["use"] = "sig",
            ["alg"] = "ES256",
            ["x"] = Base64Url.EncodeToString(key.Q.X),
            ["y"] = Base64Url.EncodeToString(key.Q.Y),
        };
        return new JsonObject { ["keys"] = new JsonArray(entry) }.ToJsonString();
    }

    private string Token(string audience)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string head = Encode(new JsonObject { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = "k" });
        string claims = Encode(new JsonObject
        {
            ["iss"] = _server.Origin,
            ["aud"] = audience,
            ["sub"] = "someone",
            ["client_id"] = "c",
            ["jti"] = "1",
            ["iat"] = now,
            ["exp"] = now + 600,
        });
        byte[] signature = _key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256);
        return $"{head}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
