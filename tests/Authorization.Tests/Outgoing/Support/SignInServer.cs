using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A protected upstream and its authorization server in one, which does right until a test makes it do wrong.</summary>
internal sealed class SignInServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _tokens = [];
    private readonly Dictionary<string, bool> _refreshTokens = [];
    private int _made;
    private volatile string _scope = "";

    private SignInServer(WebApplication app, TimeProvider clock)
    {
        _app = app;
        _clock = clock;
    }

    public string Origin => _app.Urls.First();

    public Uri Target => new($"{Origin}/mcp");

    /// <summary>Answers a path in place of the proper handler.</summary>
    public ConcurrentDictionary<string, RequestDelegate> Overrides { get; } = new();

    /// <summary>Changes the metadata before it is sent.</summary>
    public Action<JsonObject> EditMetadata { get; set; } = _ => { };

    public Action<JsonObject> EditResource { get; set; } = _ => { };

    /// <summary>Changes the token answer before it is sent.</summary>
    public Action<JsonObject> EditTokens { get; set; } = _ => { };

    /// <summary>Writes the token answer in another form than JSON: its media type and its text; null for JSON.</summary>
    public Func<JsonObject, (string MediaType, string Text)>? WriteTokens { get; set; }

    /// <summary>Changes the parameters with which the browser is sent back.</summary>
    public Action<Dictionary<string, string>> EditCallback { get; set; } = _ => { };

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    public string Challenge { get; set; } = "";

    /// <summary>The scope without which a request is answered 403.</summary>
    public string? RequiredScope { get; set; }

    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Authorizations { get; } = new();

    public ConcurrentQueue<IReadOnlyDictionary<string, string>> TokenRequests { get; } = new();

    public ConcurrentQueue<string> Registrations { get; } = new();

    public ConcurrentQueue<string> Revoked { get; } = new();

    /// <summary>Every secret this server has made, for the test that looks for them in logs.</summary>
    public ConcurrentBag<string> Secrets { get; } = [];

    /// <summary>How often a refresh token was used twice.</summary>
    public int Reuses { get; private set; }

    /// <summary>How many requests came with a token that was not, or no longer, good.</summary>
    public int BadTokens => _badTokens;

    private int _badTokens;

    public static async Task<SignInServer> StartAsync(TimeProvider clock)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var server = new SignInServer(app, clock);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public void RevokeAll()
    {
        lock (_lock)
        {
            _tokens.Clear();
        }
    }

    public void LoseGrants()
    {
        lock (_lock)
        {
            _refreshTokens.Clear();
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>What is answered where nothing overrides it.</summary>
    public Task AnswerProperlyAsync(HttpContext http)
    {
        return (string?)http.Request.Path switch
        {
            "/.well-known/oauth-protected-resource/mcp" => SendAsync(http, Resource()),
            "/.well-known/oauth-authorization-server" => SendAsync(http, Metadata()),
            "/register" => RegisterAsync(http),
            "/authorize" => AuthorizeAsync(http),
            "/token" => TokenAsync(http),
            "/device" => StartDeviceAsync(http),
            "/revoke" => RevokeAsync(http),
            "/mcp" => McpAsync(http),
            _ => NotFoundAsync(http),
        };
    }

    private Task AnswerAsync(HttpContext http) =>
        Overrides.TryGetValue(http.Request.Path, out RequestDelegate? handler) ? handler(http) : AnswerProperlyAsync(http);

    private JsonObject Resource()
    {
        var resource = new JsonObject { ["resource"] = Target.OriginalString, ["authorization_servers"] = new JsonArray(Origin) };
        EditResource(resource);
        return resource;
    }

    private JsonObject Metadata()
    {
        var metadata = new JsonObject
        {
            ["issuer"] = Origin,
            ["authorization_endpoint"] = $"{Origin}/authorize",
            ["token_endpoint"] = $"{Origin}/token",
            ["registration_endpoint"] = $"{Origin}/register",
            ["revocation_endpoint"] = $"{Origin}/revoke",
            ["device_authorization_endpoint"] = $"{Origin}/device",
            ["code_challenge_methods_supported"] = new JsonArray("S256"),
            ["authorization_response_iss_parameter_supported"] = true,
            ["token_endpoint_auth_methods_supported"] = new JsonArray("none", "client_secret_basic"),
        };
        EditMetadata(metadata);
        return metadata;
    }

    private async Task RegisterAsync(HttpContext http)
    {
        Registrations.Enqueue(await new StreamReader(http.Request.Body).ReadToEndAsync());
        http.Response.StatusCode = 201;
        await SendAsync(http, new JsonObject { ["client_id"] = $"client-{Registrations.Count}", ["token_endpoint_auth_method"] = "none" });
    }

    private Task AuthorizeAsync(HttpContext http)
    {
        Dictionary<string, string> query = http.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        Authorizations.Enqueue(query);
        _scope = query.GetValueOrDefault("scope") ?? _scope;
        var back = new Dictionary<string, string> { ["code"] = Make("code"), ["state"] = query["state"], ["iss"] = Origin };
        EditCallback(back);
        http.Response.Redirect($"{query["redirect_uri"]}?{string.Join('&', back.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"))}");
        return Task.CompletedTask;
    }

    private async Task TokenAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        TokenRequests.Enqueue(form.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()));
        _scope = form.TryGetValue("scope", out StringValues scope) ? scope.ToString() : _scope;
        Keep([.. form["code_verifier"], .. form["assertion"], .. form["client_assertion"], .. form["client_secret"], .. form["subject_token"]]);
        Keep([.. http.Request.Headers["DPoP"], .. http.Request.Headers.Authorization.Select(value => value!.Split(' ')[^1])]);

        if (form["grant_type"] == "refresh_token" && !TryUse(form["refresh_token"]!))
        {
            http.Response.StatusCode = 400;
            await SendAsync(http, new JsonObject { ["error"] = "invalid_grant", ["error_description"] = "the grant is gone" });
            return;
        }

        JsonObject issued = Issue();
        if (WriteTokens is { } write)
        {
            (http.Response.ContentType, string text) = write(issued);
            await http.Response.WriteAsync(text);
            return;
        }

        await SendAsync(http, issued);
    }

    // Rotation with reuse detection: the second use of a refresh token ends the whole grant.
    private bool TryUse(string refreshToken)
    {
        lock (_lock)
        {
            if (!_refreshTokens.TryGetValue(refreshToken, out bool isFresh))
            {
                return false;
            }

            if (!isFresh)
            {
                Reuses++;
                _refreshTokens.Clear();
                return false;
            }

            _refreshTokens[refreshToken] = false;
            return true;
        }
    }

    private JsonObject Issue()
    {
        string access = Make("access");
        string refresh = Make("refresh");
        lock (_lock)
        {
            _tokens[access] = _clock.GetUtcNow() + Lifetime;
            _refreshTokens[refresh] = true;
        }

        var answer = new JsonObject { ["access_token"] = access, ["token_type"] = "Bearer", ["expires_in"] = Lifetime.TotalSeconds, ["refresh_token"] = refresh };
        EditTokens(answer);
        return answer;
    }

    private async Task StartDeviceAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        _scope = form.TryGetValue("scope", out StringValues scope) ? scope.ToString() : _scope;
        await SendAsync(http, new JsonObject
        {
            ["device_code"] = Make("device"),
            ["user_code"] = "ABCD-EFGH",
            ["verification_uri"] = $"{Origin}/activate",
            ["expires_in"] = 600,
            ["interval"] = 5,
        });
    }

    private async Task RevokeAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        Revoked.Enqueue(form["token"]!);
    }

    private Task McpAsync(HttpContext http)
    {
        Keep([.. http.Request.Headers["DPoP"]]);
        string? token = http.Request.Headers.Authorization.ToString() is { Length: > 0 } value ? value.Split(' ')[^1] : null;
        lock (_lock)
        {
            if (token is null || !_tokens.TryGetValue(token, out DateTimeOffset end) || end <= _clock.GetUtcNow())
            {
                _badTokens += token is null ? 0 : 1;
                http.Response.StatusCode = 401;
                http.Response.Headers.WWWAuthenticate = $"Bearer resource_metadata=\"{Origin}/.well-known/oauth-protected-resource/mcp\"{Challenge}";
                return Task.CompletedTask;
            }
        }

        if (RequiredScope is { } scope && !_scope.Split(' ').Contains(scope))
        {
            http.Response.StatusCode = 403;
            http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
            return Task.CompletedTask;
        }

        return http.Response.WriteAsync("ok");
    }

    private void Keep(IEnumerable<string?> secrets)
    {
        foreach (string secret in secrets.OfType<string>().Where(secret => secret.Length > 0))
        {
            Secrets.Add(secret);
        }
    }

    private string Make(string kind)
    {
        string made = $"{kind}-{Interlocked.Increment(ref _made)}-{Guid.NewGuid():N}";
        Secrets.Add(made);
        return made;
    }

    private static Task SendAsync(HttpContext http, JsonObject json)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(json.ToJsonString());
    }

    private static Task NotFoundAsync(HttpContext http)
    {
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
