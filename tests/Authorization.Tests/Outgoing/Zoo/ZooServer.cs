using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>An MCP server and its authorization server, on two ports, that do as one provider does and complain of whatever it would refuse.</summary>
internal sealed class ZooServer : IAsyncDisposable
{
    public const string ClientId = "registered-beforehand";
    public const string ClientSecret = "s3cret of the client";
    public const string StepUpScope = "more";

    private readonly Provider _provider;
    private readonly WebApplication _resource;
    private readonly WebApplication _login;
    private readonly ZooGrants _grants;

    private ZooServer(Provider provider, TimeProvider clock)
    {
        _provider = provider;
        _grants = new ZooGrants(provider, clock);
        _resource = Make(AnswerAsResourceAsync);
        _login = Make(AnswerAsLoginAsync);
    }

    public Uri Target => new($"{_resource.Urls.First()}/mcp");

    public string LoginOrigin => _provider.IsOwnServer ? _resource.Urls.First() : _login.Urls.First();

    public string Issuer => LoginOrigin + _provider.IssuerPath;

    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Authorizations { get; } = new();

    /// <summary>How many renewals went well.</summary>
    public int Renewals { get; private set; }

    /// <summary>How many refresh tokens were refused.</summary>
    public int RefusedRefreshes { get; private set; }

    /// <summary>What the provider, or the specification, does not allow, and was done.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    /// <summary>Whether codes are refused, though they are right.</summary>
    public bool RefusesCodes { get; set; }

    /// <summary>Whether the resource wants <see cref="StepUpScope"/>.</summary>
    public bool WantsMore { get; set; }

    public static async Task<ZooServer> StartAsync(Provider provider, TimeProvider clock)
    {
        var server = new ZooServer(provider, clock);
        await server._resource.StartAsync();
        await server._login.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _resource.DisposeAsync();
        await _login.DisposeAsync();
    }

    public void RevokeAccessTokens() => _grants.RevokeAccessTokens();

    public void LoseGrants() => _grants.Lose();

    private static WebApplication Make(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        app.Run(answer);
        return app;
    }

    private Task AnswerAsResourceAsync(HttpContext http) => (string?)http.Request.Path switch
    {
        { } place when place == _provider.ResourcePlace && _provider.Resource is { } edit => SendAsync(http, Resource(edit)),
        "/mcp" => McpAsync(http),
        _ when _provider.IsOwnServer => AnswerAsLoginAsync(http),
        _ => EndAsync(http, 404),
    };

    private Task AnswerAsLoginAsync(HttpContext http) => (string?)http.Request.Path switch
    {
        { } place when _provider.Places.Contains(place) => SendAsync(http, Metadata()),
        "/authorize" => AuthorizeAsync(http),
        "/token" => TokenAsync(http),
        "/register" when _provider.Registers => RegisterAsync(http),
        _ => EndAsync(http, 404),
    };

    private JsonObject Resource(Action<JsonObject> edit)
    {
        var resource = new JsonObject { ["resource"] = Target.OriginalString, ["authorization_servers"] = new JsonArray(Issuer) };
        edit(resource);
        return resource;
    }

    private JsonObject Metadata()
    {
        var metadata = new JsonObject
        {
            ["issuer"] = Issuer,
            ["authorization_endpoint"] = _provider.PublishedAuthorizationEndpoint ?? $"{LoginOrigin}/authorize",
            ["token_endpoint"] = $"{LoginOrigin}/token",
            ["response_types_supported"] = new JsonArray("code"),
            ["code_challenge_methods_supported"] = new JsonArray("S256"),
        };
        if (_provider.Registers)
        {
            metadata["registration_endpoint"] = $"{LoginOrigin}/register";
        }

        if (_provider is { SendsIssuer: true, AnnouncesIssuer: true })
        {
            metadata["authorization_response_iss_parameter_supported"] = true;
        }

        _provider.Metadata(metadata);
        return metadata;
    }

    private static async Task RegisterAsync(HttpContext http)
    {
        http.Response.StatusCode = 201;
        await SendAsync(http, new JsonObject { ["client_id"] = ClientId, ["token_endpoint_auth_method"] = "none" });
    }

    private Task AuthorizeAsync(HttpContext http)
    {
        Dictionary<string, string> query = http.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        Authorizations.Enqueue(query);
        Expect(query.GetValueOrDefault("response_type") == "code", "response_type is not code");
        Expect(query.GetValueOrDefault("client_id") == ClientId, "another client");
        Expect(query.GetValueOrDefault("code_challenge_method") == "S256" && query.GetValueOrDefault("code_challenge")?.Length == 43, "no PKCE with S256");
        Expect(query.GetValueOrDefault("state")?.Length >= 32, "no state");
        Expect(query.GetValueOrDefault(_provider.ScopeParameter)?.Contains(' ') is not true || _provider.ScopeSeparator == ' ', "blanks between the scopes");
        Expect(_provider.ScopeParameter == "scope" || !query.ContainsKey("scope"), "scope beside its replacement");
        var back = new Dictionary<string, string> { ["state"] = query["state"] };
        if (_provider.Refuses(query) is { } refusal)
        {
            back["error"] = refusal.Error;
            back["error_description"] = refusal.Description;
            Complaints.Enqueue($"refused: {refusal.Error} ({refusal.Description})");
        }
        else
        {
            back["code"] = _grants.MakeCode(query);
        }

        if (_provider.SendsIssuer)
        {
            back["iss"] = Issuer;
        }

        http.Response.Redirect($"{query["redirect_uri"]}?{string.Join('&', back.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"))}");
        return Task.CompletedTask;
    }

    private async Task TokenAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        if (WhoAsks(http, form) is { } wrong)
        {
            Complaints.Enqueue(wrong);
            http.Response.StatusCode = 401;
            await SendAsync(http, new JsonObject { ["error"] = "invalid_client" });
        }
        else if (form["grant_type"] == "refresh_token")
        {
            await RenewAsync(http, form["refresh_token"].ToString());
        }
        else
        {
            await ExchangeAsync(http, form);
        }
    }

    private string? WhoAsks(HttpContext http, IFormCollection form)
    {
        string basic = "Basic " + Convert.ToBase64String(
            Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(ClientId)}:{Uri.EscapeDataString(ClientSecret).Replace("%20", "+", StringComparison.Ordinal)}"));
        bool isRight = _provider.ClientAuth switch
        {
            "basic" => http.Request.Headers.Authorization == basic && !form.ContainsKey("client_secret"),
            "post" => form["client_secret"] == ClientSecret && http.Request.Headers.Authorization.Count == 0,
            _ => form["client_id"] == ClientId && !form.ContainsKey("client_secret") && http.Request.Headers.Authorization.Count == 0,
        };
        return isRight ? null : $"the client is to show itself by {_provider.ClientAuth}: {http.Request.Headers.Authorization} {string.Join(' ', form.Keys)}";
    }

    private async Task ExchangeAsync(HttpContext http, IFormCollection form)
    {
        if (RefusesCodes && _provider.CodeRefusal is { } refusal)
        {
            http.Response.StatusCode = refusal.Status;
            await AnswerAsync(http, (JsonObject)JsonNode.Parse(refusal.Body)!);
            return;
        }

        IReadOnlyDictionary<string, string>? asked = _grants.Redeem(form["code"].ToString());
        string challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
        bool isRight = asked is not null && asked["code_challenge"] == challenge && asked["redirect_uri"] == form["redirect_uri"]
            && (asked.GetValueOrDefault("resource") ?? "") == form["resource"].ToString();
        if (!isRight)
        {
            Complaints.Enqueue("the code does not belong to its redirect, verifier and resource");
            http.Response.StatusCode = 400;
            await SendAsync(http, new JsonObject { ["error"] = "invalid_grant" });
            return;
        }

        string scope = (asked!.GetValueOrDefault(_provider.ScopeParameter) ?? "").Replace(_provider.ScopeSeparator, ' ');
        await AnswerAsync(http, _provider.Tokens(_grants.Issue(scope, _provider.GivesRefreshToken(asked!))));
    }

    private async Task RenewAsync(HttpContext http, string refreshToken)
    {
        if (_grants.Renew(refreshToken) is not { } scope)
        {
            RefusedRefreshes++;
            http.Response.StatusCode = _provider.RefreshRefusal.Status;
            await AnswerAsync(http, (JsonObject)JsonNode.Parse(_provider.RefreshRefusal.Body)!);
            return;
        }

        Renewals++;
        JsonObject renewed = _grants.Issue(scope, _provider.Rotates);
        if (_provider.RepeatsRefreshToken)
        {
            renewed["refresh_token"] = refreshToken;
        }

        await AnswerAsync(http, _provider.RenewedTokens(renewed));
    }

    private Task AnswerAsync(HttpContext http, JsonObject answer)
    {
        bool isJson = _provider.Form is TokenForm.Json
            || (_provider.Form is TokenForm.QueryUnlessJsonIsAccepted && http.Request.Headers.Accept.ToString().Contains("application/json"));
        if (isJson)
        {
            return SendAsync(http, answer);
        }

        http.Response.ContentType = "application/x-www-form-urlencoded";
        return http.Response.WriteAsync(string.Join('&', answer.Select(pair => $"{pair.Key}={WebUtility.UrlEncode(pair.Value?.ToString())}")));
    }

    private Task McpAsync(HttpContext http)
    {
        string line = http.Request.Headers.Authorization.ToString();
        string? scope = line.StartsWith("Bearer ", StringComparison.Ordinal) ? _grants.ScopeOf(line["Bearer ".Length..]) : null;
        if (scope is null)
        {
            string document = _resource.Urls.First() + _provider.ResourcePlace;
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = _provider.Challenge?.Invoke(document)
                ?? (_provider.Resource is null ? "Bearer error=\"invalid_token\"" : $"Bearer resource_metadata=\"{document}\"");
            return Task.CompletedTask;
        }

        if (WantsMore && !scope.Split(' ').Contains(StepUpScope))
        {
            http.Response.StatusCode = 403;
            http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{StepUpScope}\"";
            return Task.CompletedTask;
        }

        return http.Response.WriteAsync("ok");
    }

    private void Expect(bool holds, string complaint)
    {
        if (!holds)
        {
            Complaints.Enqueue(complaint);
        }
    }

    private static Task SendAsync(HttpContext http, JsonObject json)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        return http.Response.WriteAsync(json.ToJsonString());
    }

    private static Task EndAsync(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
